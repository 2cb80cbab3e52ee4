//! What is wrong with a text that is not the JSON which is asked for.

use serde_json::error::Category;

/// Says where the fault lies. serde_json quotes a value of another shape, and that may be a token or a message.
pub fn fault(error: &serde_json::Error) -> String {
    match error.classify() {
        Category::Data => {
            let (line, column) = (error.line(), error.column());
            format!("not of the shape that is asked for (line {line}, column {column})")
        }
        Category::Syntax | Category::Eof | Category::Io => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_value_of_another_shape_is_not_quoted() {
        for text in ["\"s3cret\"", "{\"s3cret\":1}"] {
            let error = serde_json::from_str::<Vec<u8>>(text).unwrap_err();
            let said = fault(&error);
            assert!(
                said.contains("shape") && said.contains("line 1, column ") && !said.contains("s3cret"),
                "{said}"
            );
        }
    }

    #[test]
    fn invalid_json_is_said_to_be_so() {
        for (text, said) in [
            ("[1,s3cret]", "expected value at line 1 column 4"),
            ("[\"s3cret", "EOF while parsing a string at line 1 column 8"),
            ("[1] s3cret", "trailing characters at line 1 column 5"),
        ] {
            assert_eq!(fault(&serde_json::from_str::<Value>(text).unwrap_err()), said);
        }
    }
}
