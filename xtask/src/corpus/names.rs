//! Names in a file, whose bytes say nothing of their alphabet.

use encoding_rs::{SHIFT_JIS, WINDOWS_1252};

/// UTF-8 where the bytes are that, else Shift-JIS or Latin-1, whichever they look like. `None` for an empty name.
pub fn decoded(bytes: &[u8]) -> Option<String> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) if is_shift_jis(bytes) => SHIFT_JIS.decode_without_bom_handling(bytes).0,
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    };
    // Some programs end a name with a zero, as C does.
    let name = text.trim_matches(|letter: char| letter.is_whitespace() || letter == '\0');
    (!name.is_empty()).then(|| name.chars().map(shown).collect())
}

/// A terminal would obey control characters: they are shown by their pictures, and what has none by a full stop.
fn shown(letter: char) -> char {
    match letter {
        '\0'..='\x1F' => char::from_u32(0x2400 + u32::from(letter)).unwrap_or('.'),
        '\x7F' => '\u{2421}',
        // Marks that turn the direction of writing.
        '\u{80}'..='\u{9F}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
            '.'
        }
        _ => letter,
    }
}

/// Whether the bytes are Shift-JIS, and some of them more likely so than Latin-1: letters of two bytes whose first one is no letter
/// in Latin-1, and which do not stand within a word of plain letters.
fn is_shift_jis(bytes: &[u8]) -> bool {
    let Some(text) = SHIFT_JIS.decode_without_bom_handling_and_without_replacement(bytes) else {
        return false;
    };
    // Users' own letters, which no name has.
    if text.chars().any(|letter| ('\u{E000}'..='\u{F8FF}').contains(&letter)) {
        return false;
    }
    let is_letter = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_alphabetic);
    let (mut at, mut kana, mut has_sign, mut has_kana) = (0, 0, false, false);
    while at < bytes.len() {
        // Katakana of half width are one byte each. Latin-1 has signs and capitals there, which do not stand together.
        (kana, has_sign) = match bytes[at] {
            byte @ 0xA1..=0xDF => (kana + 1, has_sign || byte < 0xC0),
            _ => (0, false),
        };
        has_kana |= kana > 2 && has_sign;
        match bytes[at] {
            0x81..=0x9F => {
                let within_a_word =
                    is_letter(Some(at + 1)) && (is_letter(at.checked_sub(1)) || is_letter(Some(at + 2)));
                if !within_a_word {
                    return true;
                }
                at += 2;
            }
            0xE0..=0xFC => at += 2,
            _ => at += 1,
        }
    }
    has_kana
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_three_alphabets_keep_their_letters() {
        let names: [(&[u8], &str); 13] = [
            ("Klavier größer".as_bytes(), "Klavier größer"),
            ("ピアノ右手".as_bytes(), "ピアノ右手"),
            (b"Kl\xE4vier gr\xFC\xDFt \xA9 2008", "Klävier grüßt © 2008"),
            (b"Pr\xE9lude", "Prélude"),
            (b"\xC9tude n\xBA 3", "Étude nº 3"),
            (b"Cora\xE7\xE3o", "Coração"),
            (b"C\x9Cur don\x92t", "Cœur don’t"),
            (b"\x83s\x83A\x83m\x89E\x8E\xE8", "ピアノ右手"),
            (b"\x8F\xE3 (Right)", "上 (Right)"),
            (b"Piano \x89E", "Piano 右"),
            (b"\xCB\xDF\xB1\xC9", "ﾋﾟｱﾉ"),
            (b"\xF6fter", "öfter"),
            (b"M\xC4\xD6\xDC", "MÄÖÜ"),
        ];
        for (bytes, name) in names {
            assert_eq!(decoded(bytes).as_deref(), Some(name), "{bytes:?}");
        }
    }

    #[test]
    fn no_letter_of_a_name_moves_the_terminal() {
        assert_eq!(decoded(b"red\x1B[31m\nnew\ttab\x7F").as_deref(), Some("red␛[31m␊new␉tab␡"));
        assert_eq!(decoded("a\u{9B}31m\u{202E}b".as_bytes()).as_deref(), Some("a.31m.b"));
        assert_eq!(decoded(b"ended\0").as_deref(), Some("ended"));
    }

    #[test]
    fn a_name_of_nothing_is_none() {
        assert_eq!(decoded(b""), None);
        assert_eq!(decoded(b" \t\0"), None);
    }
}
