"""Reads the MIDI files of folders by symusic and by mido, and holds every note of `inspect` against both.

    benches/peers/run.sh midi FOLDER|FILE ...

Onset, release of the key, key and velocity are to agree with one of the two to a microsecond. mido gives messages only; they are
paired here, first in, first out, by track, port, channel and key. What agrees with neither is one of the named conventions, which
are counted, or it is listed and the exit status is 1.
"""

import json
import os
import subprocess
import sys
from bisect import bisect_right
from collections import Counter, defaultdict, deque
from multiprocessing import Pool

import mido
import symusic

ENDINGS = (".mid", ".midi", ".kar", ".rmi")
FILES_AT_A_TIME = 16
MICROSECOND = 1.5e-6
LISTED = 20
INSPECT = ["cargo", "run", "--quiet", "--package", "xtask", "--", "inspect", "--json", "--convention", "key-up"]

NEVER_RELEASED = "never released: it ends with its track, symusic and mido have no end for it"
MODE_MESSAGE = "ended by all-sound-off, all-notes-off or a mode message, which symusic and mido do not follow"
TEMPO_OF_NOUGHT = "in a file with a tempo of 0, which is left out"
UNREAD = "in a file that neither symusic nor mido reads"
MORE_TRACKS = "in a file that has more tracks than its header counts, which symusic and mido leave out"
REFUSED_BY_US = "files that we refuse and a peer reads"


def main():
    files = sorted(file for source in sys.argv[1:] for file in within(source))
    if not files:
        sys.exit(__doc__)
    chunks = [files[at : at + FILES_AT_A_TIME] for at in range(0, len(files), FILES_AT_A_TIME)]
    counts, odd = Counter(), []
    with Pool() as pool:
        for number, (some, listed) in enumerate(pool.imap_unordered(compared, chunks), 1):
            counts.update(some)
            odd.extend(listed)
            if sys.stderr.isatty():
                print(f"\r{number} of {len(chunks)}", end="", file=sys.stderr, flush=True)
    for what, count in sorted(counts.items()):
        print(f"{count:>10}  {what}")
    for line in odd[:LISTED]:
        print("odd:", line)
    if odd:
        sys.exit(f"{len(odd)} differences that no convention explains")


def within(source):
    if not os.path.isdir(source):
        return [source]
    walk = os.walk(source)
    return [os.path.join(folder, name) for folder, _, names in walk for name in names if name.lower().endswith(ENDINGS)]


def compared(files):
    """How the notes of some files agree, and what does not."""
    told = subprocess.run(INSPECT + files, capture_output=True, text=True)
    # A single file that is refused gives no table at all.
    ours = {file["file"]: file["table"] for file in json.loads(told.stdout)} if told.stdout.strip().endswith("]") else {}
    counts, odd = Counter(), []
    for file in files:
        by_mido, by_symusic = (read_or_refuse(read, file) for read in (by_way_of_mido, by_way_of_symusic))
        if file not in ours:
            readers = [name for name, notes in (("mido", by_mido), ("symusic", by_symusic)) if notes is not None]
            counts["files that nobody reads" if not readers else REFUSED_BY_US] += 1
            if readers:
                odd.append(f"{file}: refused, but read by {' and '.join(readers)}")
            continue
        some, listed = compare(file, ours[file], by_mido, by_symusic)
        counts.update(some)
        odd.extend(listed)
    return counts, odd


def read_or_refuse(read, file):
    try:
        return read(file)
    except Exception:
        return None


def compare(file, table, by_mido, by_symusic):
    ours = [(n["key"], n["velocity"], n["onset_s"], n["end_s"]) for n in table]
    paired, conventions = by_mido or ([], {})
    in_mido, left_of_mido = matched(ours, paired)
    in_symusic, left_of_symusic = matched(ours, by_symusic or [])
    of_all_notes = UNREAD if by_mido is None and by_symusic is None else MORE_TRACKS if has_more_tracks(file) else None
    counts, odd = Counter(files=1, notes=len(ours)), []
    for note, mido_has, symusic_has in zip(ours, in_mido, in_symusic):
        why = conventions.get(approximately(note), of_all_notes)
        if mido_has or symusic_has:
            counts[agreement(mido_has, symusic_has)] += 1
        elif why:
            counts[why] += 1
        else:
            odd.append(f"{file}: {note} is in neither")
    # What is ours under a convention is theirs with another end, or with none.
    explained = Counter(key[:3] for note, key in ((n, approximately(n)) for n, m in zip(ours, in_mido) if not m) if key in conventions)
    for note in left_of_mido:
        key = approximately(note)[:3]
        if by_mido is not None and by_symusic is not None and note in left_of_symusic:
            if explained[key] > 0:
                explained[key] -= 1
            else:
                odd.append(f"{file}: {note} is in both, but not ours")
    counts["files that mido does not read"] += by_mido is None
    counts["files that symusic does not read"] += by_symusic is None
    return +counts, odd


def agreement(mido_has, symusic_has):
    if mido_has and symusic_has:
        return "notes agree with both"
    return "notes agree with mido alone" if mido_has else "notes agree with symusic alone"


def matched(ours, theirs):
    """Which of ours they have too, and what of theirs is left."""
    rest = defaultdict(list)
    for note in sorted(theirs, reverse=True):
        rest[note[:2]].append(note)
    has = [False] * len(ours)
    for index in sorted(range(len(ours)), key=lambda index: ours[index]):
        candidates = rest[ours[index][:2]]
        for at in range(len(candidates) - 1, -1, -1):
            onset, end = candidates[at][2:]
            if onset > ours[index][2] + MICROSECOND:
                break
            if abs(onset - ours[index][2]) <= MICROSECOND and abs(end - ours[index][3]) <= MICROSECOND:
                has[index] = True
                del candidates[at]
                break
    return has, {note for notes in rest.values() for note in notes}


def has_more_tracks(file):
    with open(file, "rb") as bare:
        content = bare.read()
    return content[:4] == b"MThd" and int.from_bytes(content[10:12]) < content.count(b"MTrk")


def approximately(note):
    key, velocity, onset, end = note
    return key, velocity, round(onset, 4), round(end, 4)


class Clock:
    """From ticks to seconds."""

    def __init__(self, ticks_per_quarter, tempos):
        self.ticks, self.seconds, self.per_tick = [0], [0.0], [0.5 / ticks_per_quarter]
        for tick, microseconds in sorted(tempos, key=lambda tempo: tempo[0]):
            now = self.at(tick)
            self.ticks.append(tick)
            self.seconds.append(now)
            self.per_tick.append(microseconds * 1e-6 / ticks_per_quarter)

    def at(self, tick):
        place = bisect_right(self.ticks, tick) - 1
        return self.seconds[place] + (tick - self.ticks[place]) * self.per_tick[place]


def by_way_of_symusic(file):
    score = symusic.Score(file)
    clock = Clock(score.ticks_per_quarter, [(tempo.time, tempo.mspq) for tempo in score.tempos])
    notes = []
    for track in score.tracks:
        table = track.notes.numpy()
        columns = (table[name].tolist() for name in ("time", "duration", "pitch", "velocity"))
        notes.extend((key, velocity, clock.at(on), clock.at(on + length)) for on, length, key, velocity in zip(*columns))
    return notes


def by_way_of_mido(file):
    """The notes, and those whose end is a convention of ours, by what they are."""
    midi = mido.MidiFile(file)
    if midi.ticks_per_beat >= 0x8000:
        raise ValueError("film frames")
    messages, ends = [], []
    for number, track in enumerate(midi.tracks):
        tick = 0
        for message in track:
            tick += message.time
            messages.append((tick, number, message))
        ends.append(tick)
    tempos = [(tick, message.tempo) for tick, _, message in messages if message.type == "set_tempo"]
    clock = Clock(midi.ticks_per_beat, [(tick, tempo) for tick, tempo in tempos if tempo > 0])
    notes, conventions = [], {}
    pair(messages, ends, clock, notes, conventions)
    if any(tempo == 0 for _, tempo in tempos):
        conventions.update({approximately(note): TEMPO_OF_NOUGHT for note in notes})
    return notes, conventions


def pair(messages, ends, clock, notes, conventions):
    open_strikes, ports = defaultdict(deque), {}
    # Modes end the notes of a channel in all tracks, so that all are heard in the order of time.
    modes = defaultdict(list)
    messages.sort(key=lambda timed: timed[0])
    for tick, track, message in messages:
        port = ports.get(track, 0)
        if message.type == "midi_port":
            ports[track] = message.port
        elif message.type == "note_on" and message.velocity > 0:
            open_strikes[track, port, message.channel, message.note].append((message.velocity, tick))
        elif message.type in ("note_on", "note_off"):
            strikes = open_strikes[track, port, message.channel, message.note]
            if strikes:
                velocity, struck = strikes.popleft()
                note = (message.note, velocity, clock.at(struck), clock.at(tick))
                notes.append(note)
                ended_before(note, struck, tick, modes[port, message.channel], clock, conventions)
        elif message.type == "control_change" and (message.control == 120 or message.control >= 123):
            modes[port, message.channel].append(tick)
    for (track, port, channel, key), strikes in open_strikes.items():
        for velocity, struck in strikes:
            note = (key, velocity, clock.at(struck), clock.at(ends[track]))
            conventions[approximately(note)] = NEVER_RELEASED
            ended_before(note, struck, ends[track], modes[port, channel], clock, conventions)


def ended_before(note, struck, released, modes, clock, conventions):
    """Whether a mode message has ended a note before its release."""
    for tick in modes:
        if struck <= tick < released:
            conventions[approximately((*note[:3], clock.at(tick)))] = MODE_MESSAGE
            break


if __name__ == "__main__":
    main()
