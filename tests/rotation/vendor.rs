//! The providers whose keys are rotated here, as far as a rotation differs between them when it is seen from outside.

/// LeadLex stands for those that have names with a date, no change of a key, and no way back from a revoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vendor {
    Native,
    LeadLex,
}

pub(crate) const BOTH: [Vendor; 2] = [Vendor::Native, Vendor::LeadLex];

/// The requests of a rotation that change something, or that say whether a key works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Mint,
    Verify,
    /// The end of a key: of the old one, or of the new one where it is taken back.
    Revoke,
}

impl Vendor {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::LeadLex => "leadlex",
        }
    }

    /// What stands before the paths of its API.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Native => "",
            Self::LeadLex => "/leadlex",
        }
    }

    /// A call that every key of these tests may make, which is also the one that verifies.
    pub(crate) const fn call(self) -> &'static str {
        match self {
            Self::Native => "/v1/whoami",
            Self::LeadLex => "/leadlex/v1/settings",
        }
    }

    /// A permission that is enough for that call.
    pub(crate) const fn permission(self) -> &'static str {
        match self {
            Self::Native => "read:contacts",
            Self::LeadLex => "read",
        }
    }

    /// Whether a request with this first line asks for that.
    pub(crate) fn is(self, asked: Asked, line: &str) -> bool {
        match (asked, self) {
            (Asked::Mint, _) => line.starts_with("POST ") && line.contains("/v1/api-keys HTTP"),
            (Asked::Verify, _) => line.contains(self.call()),
            (Asked::Revoke, Self::Native) => line.contains("/revoke"),
            (Asked::Revoke, Self::LeadLex) => line.starts_with("DELETE "),
        }
    }

    /// How long a plaintext is.
    pub(crate) const fn length(self) -> usize {
        match self {
            Self::Native => 45,
            Self::LeadLex => 41,
        }
    }

    /// Whether so many bytes look like a plaintext.
    pub(crate) fn is_key(self, text: &[u8]) -> bool {
        let secret = self.length() - 32;
        text.starts_with(b"wbk_")
            && text[secret - 1] == b'_'
            && text[4..secret - 1].iter().chain(&text[secret..]).all(u8::is_ascii_alphanumeric)
    }

    /// Whether a key has this name, or is a successor of one that had it.
    pub(crate) fn is_named(self, found: &str, name: &str) -> bool {
        let dated = || found.strip_prefix(name).is_some_and(|rest| rest.starts_with(" @20"));
        found == name || self == Self::LeadLex && dated()
    }
}
