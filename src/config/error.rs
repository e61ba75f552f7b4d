//! What is set cannot be followed, and what to set instead.

use thiserror::Error;

use crate::exit::{Exit, Explain};
use crate::model::secret::NotAKey;
use crate::profiles::{LOCAL, ProfilesError};
use crate::text;

/// What is set cannot be followed.
#[derive(Debug, Error)]
pub(crate) enum ConfigError {
    #[error("nobody is logged in, no profile is chosen, and {}", unset(*variable))]
    NoCredential { variable: Option<&'static str> },
    #[error("no profile is chosen, and none is the default")]
    NoDefault { known: Vec<String> },
    #[error("KEYS_API_KEY is set, but not the address of the service")]
    NoAddress,
    #[error("the address of the service is missing")]
    NoLoginAddress,
    #[error("{variable} does not hold a key: {source}")]
    UnusableKey { variable: &'static str, source: NotAKey },
    #[error("there is no profile `{}`", text::escape(name))]
    UnknownProfile { name: String, known: Vec<String> },
    #[error("there is no provider `{}`", text::escape(.0))]
    UnknownProvider(String),
    #[error("the profile `local` runs in this process: it takes neither --provider nor --api-url")]
    LocalElsewhere,
    #[error("the credential of the profile `{profile}` is for {own}, and is not sent to `{}`", text::escape(service))]
    ForAnother { profile: String, own: String, service: String },
    #[error("no home directory is known, so there is no place for the data of the profile `local`")]
    NoHome,
    #[error("no home directory is known, so there is no place for profiles")]
    NoConfigHome,
    #[error(transparent)]
    Profiles(#[from] ProfilesError),
}

fn unset(variable: Option<&str>) -> String {
    match variable {
        Some(usual) => format!("neither KEYS_API_KEY nor {usual} is set"),
        None => "KEYS_API_KEY is not set".to_owned(),
    }
}

impl Explain for ConfigError {
    fn exit(&self) -> Exit {
        match self {
            Self::NoCredential { .. } | Self::NoDefault { .. } | Self::UnusableKey { .. } | Self::ForAnother { .. } => {
                Exit::Unauthenticated
            }
            Self::NoAddress
            | Self::NoLoginAddress
            | Self::UnknownProfile { .. }
            | Self::UnknownProvider(_)
            | Self::LocalElsewhere
            | Self::NoHome
            | Self::NoConfigHome => Exit::Usage,
            Self::Profiles(error) => error.exit(),
        }
    }

    fn code(&self) -> &str {
        match self {
            Self::NoCredential { .. } | Self::NoDefault { .. } => "no_credential",
            Self::NoAddress | Self::NoLoginAddress => "no_api_url",
            Self::UnusableKey { .. } => "unusable_key",
            Self::UnknownProfile { .. } => "unknown_profile",
            Self::UnknownProvider(_) => "unknown_provider",
            Self::LocalElsewhere => "conflicting_options",
            Self::ForAnother { .. } => "credential_for_another",
            Self::NoHome | Self::NoConfigHome => "no_home_directory",
            Self::Profiles(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoCredential { .. } => {
                "log in to a service with: keys login --api-url URL; or use the one built into this program: keys -p local …"
            }
            Self::NoDefault { known } => {
                let known = text::list_of(known.iter().map(|name| text::escape(name)));
                return Some(format!("choose one for good with: keys profile use NAME; or now with -p NAME: {known}"));
            }
            Self::NoAddress => "set KEYS_API_URL, or give --api-url",
            Self::NoLoginAddress => "say where to log in: keys login --api-url https://keys.example.com",
            Self::UnusableKey { .. } => "set it to the whole key, as it was shown when it was made",
            Self::UnknownProfile { known, .. } => {
                let known = text::list_of(known.iter().map(String::as_str).chain([LOCAL]).map(text::escape));
                return Some(format!("there is {known}; make another one with: keys login -p NAME --api-url URL"));
            }
            Self::UnknownProvider(_) => "set KEYS_PROVIDER to native, leadlex, nexus or contactlevel",
            Self::LocalElsewhere => "leave out one or the other",
            Self::ForAnother { .. } => {
                "leave out --api-url and KEYS_API_URL, or make a profile for that service with: keys login -p NAME --api-url URL"
            }
            Self::NoHome => "set KEYS_DATA_DIR to a directory of yours",
            Self::NoConfigHome => "set KEYS_CONFIG_DIR to a directory of yours",
            Self::Profiles(error) => return error.hint(),
        };
        Some(hint.to_owned())
    }

    fn is_retryable(&self) -> bool {
        false
    }
}
