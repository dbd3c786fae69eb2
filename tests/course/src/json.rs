//! JSON, as far as cargo's is read.

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`, `true`, `false` or a number, as it is written.
    Word(String),
    Text(String),
    /// What is between `[` and `]`.
    List(Vec<Json>),
    /// What is between `{` and `}`.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a value; nothing comes of text that is none.
    pub fn read(text: &str) -> Option<Json> {
        let mut rest = text.trim();
        let value = value(&mut rest)?;
        rest.is_empty().then_some(value)
    }

    /// What an object has under a key.
    pub fn get(&self, key: &str) -> Option<&Json> {
        let Json::Object(fields) = self else {
            return None;
        };
        let field = fields.iter().find(|(name, _)| name == key);
        field.map(|(_, value)| value)
    }

    /// The string that an object has under a key.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The list that an object has under a key; an empty one, if it has none.
    pub fn list(&self, key: &str) -> &[Json] {
        match self.get(key) {
            Some(Json::List(list)) => list,
            _ => &[],
        }
    }

    /// Whether an object has `true` under a key.
    pub fn is(&self, key: &str) -> bool {
        matches!(self.get(key), Some(Json::Word(word)) if word == "true")
    }
}

fn value(rest: &mut &str) -> Option<Json> {
    match rest.chars().next()? {
        '{' => sequence(rest, '}', |rest| {
            let key = string(rest)?;
            skip(rest, ':')?;
            Some((key, value(rest)?))
        })
        .map(Json::Object),
        '[' => sequence(rest, ']', value).map(Json::List),
        '"' => string(rest).map(Json::Text),
        _ => {
            let end = rest.find([',', ']', '}']).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            *rest = after;
            (!word.is_empty()).then(|| Json::Word(word.trim_end().to_owned()))
        }
    }
}

fn sequence<T>(
    rest: &mut &str,
    end: char,
    item: impl Fn(&mut &str) -> Option<T>,
) -> Option<Vec<T>> {
    let mut items = Vec::new();
    *rest = rest[1..].trim_start();
    while skip(rest, end).is_none() {
        items.push(item(rest)?);
        *rest = rest.trim_start();
        if !rest.starts_with(end) {
            skip(rest, ',')?;
        }
    }
    Some(items)
}

fn skip(rest: &mut &str, what: char) -> Option<()> {
    *rest = rest.trim_start().strip_prefix(what)?.trim_start();
    Some(())
}

fn string(rest: &mut &str) -> Option<String> {
    let mut text = String::new();
    let mut letters = rest.strip_prefix('"')?.chars();
    loop {
        match letters.next()? {
            '"' => break,
            '\\' => match letters.next()? {
                'n' => text.push('\n'),
                'r' => text.push('\r'),
                't' => text.push('\t'),
                'u' => {
                    let code = u32::from_str_radix(letters.as_str().get(..4)?, 16);
                    letters = letters.as_str()[4..].chars();
                    let letter = char::from_u32(code.ok()?);
                    text.push(letter.unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                other => text.push(other),
            },
            other => text.push(other),
        }
    }
    *rest = letters.as_str();
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_writes_is_read() {
        let text = r#" {"a": [1, null ,{}, []], "b\"":"C:\\t\n\u001b", "c":true} "#;
        let json = Json::read(text).expect("it is JSON");
        assert_eq!(json.list("a").len(), 4);
        assert_eq!(json.list("a")[1], Json::Word("null".into()));
        assert_eq!(json.text("b\""), Some("C:\\t\n\u{1b}"));
        assert!(json.is("c") && !json.is("a"));
        for text in ["", "{", "[1", "{\"a\"}", "[] []", "not json]", "\"\\u00"] {
            assert_eq!(Json::read(text), None, "{text}");
        }
    }
}
