"""Reads MIDI files by pretty_midi, to hold `inspect` against an independent parser.

    cargo xtask inspect --json --convention key-up FILE ... > notes.json
    benches/peers/run.sh pretty-midi notes.json       compares every note; fails where one is off by 1 ms
    benches/peers/run.sh pretty-midi golden           prints a small reference, xtask/src/inspect/golden.json

It ends all notes of a key at its release, where `inspect` ends the oldest one: notes that overlap their own key are compared by
what they begin with alone. `midi` compares all of them.
"""

import io
import json
import random
import sys

import mido
import pretty_midi

MS = 1e-3


def main():
    match sys.argv[1:]:
        case ["golden"]:
            json.dump([written(seed) for seed in range(4)], sys.stdout)
        case [path]:
            compare(json.load(open(path)))
        case _:
            sys.exit(__doc__)


def notes(midi):
    """(key, onset, end, velocity) of all notes, by onset and key."""
    table = [(n.pitch, n.start, n.end, n.velocity) for i in midi.instruments for n in i.notes]
    return sorted(table, key=lambda note: (note[1], note[0]))


def compare(files):
    count, overlapping, worst = 0, 0, 0.0
    for file in files:
        theirs = notes(pretty_midi.PrettyMIDI(file["file"]))
        ours = [(n["key"], n["onset_s"], n["end_s"], n["velocity"]) for n in file["table"]]
        # Rounding may order notes of one moment otherwise.
        rounded = lambda note: (round(note[1], 4), note[0], note[3])
        ours, theirs = sorted(ours, key=rounded), sorted(theirs, key=rounded)
        if len(ours) != len(theirs):
            sys.exit(f"{file['file']}: {len(ours)} notes, but pretty_midi has {len(theirs)}")
        for index, (one, other) in enumerate(zip(ours, theirs)):
            same = one[0] == other[0] and one[3] == other[3]
            off = [abs(a - b) for a, b in zip(one[1:3], other[1:3])]
            again = struck_again(ours, index)
            overlapping += again
            if not same or off[0] > MS or (off[1] > MS and not again):
                sys.exit(f"{file['file']}: note {index} is {one}, but pretty_midi has {other}")
            worst = max(worst, off[0], 0.0 if again else off[1])
        count += len(ours)
    print(f"{len(files)} files, {count} notes agree within {worst * 1e6:.2f} us; {overlapping} overlap their own key")


def struck_again(notes, index):
    """Whether a note ends at, or begins within, another one of its key."""
    key, onset, end, _ = notes[index]
    near = notes[max(0, index - 400) : index + 400]
    others = [n for n in near if n[0] == key and n is not notes[index]]
    return any(abs(n[1] - end) < MS or abs(n[2] - onset) < MS for n in others)


def written(seed):
    """A MIDI file that chance writes, as hexadecimal digits, and its notes."""
    chance = random.Random(seed)
    midi = mido.MidiFile(ticks_per_beat=chance.choice([96, 384, 480, 960]))
    conductor = mido.MidiTrack()
    for _ in range(6):
        conductor.append(mido.MetaMessage("set_tempo", tempo=chance.randrange(200_000, 1_500_000), time=chance.randrange(700)))
    midi.tracks.append(conductor)
    for channel in (0, 3):
        track = mido.MidiTrack([mido.Message("program_change", channel=channel, program=channel)])
        for _ in range(30):
            track.extend(chord(chance, channel))
        midi.tracks.append(track)
    bytes = io.BytesIO()
    midi.save(file=bytes)
    bytes.seek(0)
    table = [[key, round(on, 7), round(off, 7), velocity] for key, on, off, velocity in notes(pretty_midi.PrettyMIDI(bytes))]
    return {"midi": bytes.getvalue().hex(), "notes": table}


def chord(chance, channel):
    """Notes that begin one after the other and end all before the next chord, some by a strike of velocity 0."""
    keys = chance.sample(range(30, 90), chance.randrange(1, 4))
    on = [mido.Message("note_on", channel=channel, note=k, velocity=chance.randrange(1, 128), time=chance.randrange(300)) for k in keys]
    kinds = [("note_off", 64), ("note_on", 0)]
    off = []
    for key in keys:
        kind, velocity = chance.choice(kinds)
        off.append(mido.Message(kind, channel=channel, note=key, velocity=velocity, time=chance.randrange(1, 300)))
    return on + off


if __name__ == "__main__":
    main()
