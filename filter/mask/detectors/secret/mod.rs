//! Secrets: keys, tokens and passwords.

mod aws_secret_key;
mod generic;
mod jwt;
mod private_key;
mod shape;
mod token;
mod url;

use super::detect::Detect;

/// The detector of a name and its label.
pub(super) fn built_in(name: &str) -> Option<(Box<dyn Detect>, &'static str)> {
    Some(match name {
        "secret.private_key" => (Box::new(private_key::PrivateKey), "PRIVATE_KEY"),
        "secret.jwt" => (Box::new(jwt::Jwt), "JWT"),
        "secret.aws_secret_key" => (Box::new(aws_secret_key::AwsSecretKey), "AWS_SECRET_KEY"),
        "secret.database_url" => (Box::new(url::DatabaseUrl), "DATABASE_URL"),
        "secret.url_credentials" => (Box::new(url::UrlCredentials), "URL_CREDENTIALS"),
        "secret.generic" => (Box::new(generic::Generic), "SECRET"),
        _ => {
            if let Some((shape, label)) = shape::built_in(name) {
                return Some((Box::new(shape), label));
            }
            let (token, label) = token::built_in(name)?;
            (Box::new(token), label)
        }
    })
}

#[cfg(test)]
pub(super) fn examples() -> Vec<super::tests::Table> {
    let mut tables = vec![
        private_key::EXAMPLES,
        jwt::EXAMPLES,
        shape::EXAMPLES,
        aws_secret_key::EXAMPLES,
        url::EXAMPLES,
        generic::EXAMPLES,
    ];
    tables.extend(token::EXAMPLES);
    tables
}
