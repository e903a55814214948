//! Values that come from the VM's environment.

/// Looks up a variable of the environment that `${NAME}` refers to.
pub type Environment<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// A text with variables' values in it. Nothing of it is shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The whole text.
    pub text: String,
    /// The values alone, in their order.
    pub values: Vec<String>,
}

/// Why a text is no value: in words that hold nothing of it but variables' names.
pub(super) struct Wrong {
    pub(super) found: String,
    pub(super) expected: String,
}

fn wrong(found: impl Into<String>, expected: impl Into<String>) -> Wrong {
    Wrong {
        found: found.into(),
        expected: expected.into(),
    }
}

/// Puts variables' values in place of their names. The result can stand in a header.
pub(super) fn resolve(text: &str, environment: &Environment<'_>) -> Result<Resolved, Wrong> {
    let mut out = String::with_capacity(text.len());
    let mut values = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let Some((name, tail)) = after.split_once('}') else {
            return Err(wrong("\"${\" without \"}\"", "${NAME}"));
        };
        let value = variable(name, environment)?;
        out.push_str(&value);
        values.push(value);
        rest = tail;
    }
    out.push_str(rest);
    if out.bytes().any(|byte| byte < 0x20 || byte == 0x7f) {
        return Err(wrong(
            "a control character in the value",
            "text that can stand in a header (RFC 9110, section 5.5)",
        ));
    }
    if out.is_empty() {
        return Err(wrong("an empty string", "a string"));
    }
    Ok(Resolved { text: out, values })
}

fn variable(name: &str, environment: &Environment<'_>) -> Result<String, Wrong> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.is_empty() || !name.bytes().all(fits) {
        return Err(wrong(
            format!("the variable name {name:?}"),
            "letters, digits and underscores between ${ and }",
        ));
    }
    match environment(name) {
        Some(value) if !value.is_empty() => Ok(value),
        Some(_) => Err(wrong(
            format!("the environment variable {name}, which is empty"),
            "a value for it in the VM's environment",
        )),
        None => Err(wrong(
            format!("${{{name}}}, which is not set"),
            format!("an environment variable {name} in the VM's environment"),
        )),
    }
}
