//! The variables of the environment, read once and nowhere else.

use std::env;
use std::path::PathBuf;

use directories::ProjectDirs;
use zeroize::Zeroizing;

use super::ConfigError;
use crate::model::secret::PlainKey;
use crate::providers::Provider;
use crate::sink::Circumstances;
use crate::terminal::Surroundings;

/// What coding agents set in the commands they run, whose output they keep in a conversation. What a person sets for an
/// agent, as `CODEX_HOME`, is none of these.
const AGENTS: [&str; 13] = [
    "CLAUDECODE",
    "CURSOR_AGENT",
    "CODEX_SANDBOX",
    "CODEX_SANDBOX_NETWORK_DISABLED",
    "CODEX_THREAD_ID",
    "CODEX_CI",
    "GEMINI_CLI",
    "CLINE_ACTIVE",
    "OPENCODE",
    "QWEN_CODE",
    "AUGMENT_AGENT",
    "GOOSE_TERMINAL",
    "AI_AGENT",
];

/// What CI services set in the jobs they run, whose output they keep in a log. The general one last.
const LOGS: [&str; 12] = [
    "GITHUB_ACTIONS",
    "GITLAB_CI",
    "JENKINS_URL",
    "TF_BUILD",
    "BUILDKITE",
    "CIRCLECI",
    "TRAVIS",
    "TEAMCITY_VERSION",
    "BITBUCKET_BUILD_NUMBER",
    "CODEBUILD_BUILD_ID",
    "DRONE",
    "CI",
];

/// The variables this program knows.
pub(crate) struct Environment {
    pub(super) profile: Option<String>,
    pub(super) provider: Option<String>,
    pub(super) api_key: Option<Zeroizing<String>>,
    /// The keys in the variables that the users of a provider have anyway.
    pub(super) usual_keys: Vec<(&'static str, Zeroizing<String>)>,
    pub(super) api_url: Option<String>,
    pub(super) config_directory: Option<PathBuf>,
    pub(super) data_directory: Option<PathBuf>,
    cache_directory: Option<PathBuf>,
    /// `SSL_CERT_FILE`
    pub(super) certificates: Option<PathBuf>,
    display: bool,
    pub(crate) database: Option<String>,
    pub(crate) no_input: bool,
    no_color: bool,
    ci: bool,
    dumb: bool,
    columns: Option<u16>,
    unicode: bool,
    circumstances: Circumstances,
}

impl Environment {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    pub(crate) fn read() -> Self {
        let text = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let path = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let is_on = |name: &str| text(name).is_some_and(|value| value != "false" && value != "0");
        // Agents run in CI too, and are between the command and the log then.
        let agent = AGENTS.iter().find(|variable| is_on(variable));
        let reader = agent.map(|variable| format!("a coding agent ({variable} is set)"));
        let log = LOGS.iter().find(|variable| is_on(variable)).map(|variable| format!("a CI log ({variable} is set)"));
        Self {
            profile: text("KEYS_PROFILE"),
            provider: text("KEYS_PROVIDER"),
            api_key: text("KEYS_API_KEY").map(Zeroizing::new),
            usual_keys: Provider::ALL
                .iter()
                .filter_map(|provider| provider.rules().variable)
                .filter_map(|variable| Some((variable, Zeroizing::new(text(variable)?))))
                .collect(),
            api_url: text("KEYS_API_URL"),
            config_directory: path("KEYS_CONFIG_DIR"),
            data_directory: path("KEYS_DATA_DIR"),
            cache_directory: path("KEYS_CACHE_DIR"),
            certificates: path("SSL_CERT_FILE"),
            display: cfg!(not(unix)) || text("DISPLAY").or_else(|| text("WAYLAND_DISPLAY")).is_some(),
            database: text("KEYS_DATABASE_URL"),
            no_input: is_on("KEYS_NO_INPUT"),
            no_color: text("NO_COLOR").is_some(),
            ci: is_on("CI"),
            dumb: text("TERM").is_some_and(|value| value == "dumb"),
            columns: text("COLUMNS").and_then(|value| value.parse().ok()),
            unicode: ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| text(name)).is_some_and(|locale| {
                let locale = locale.to_lowercase();
                locale.contains("utf-8") || locale.contains("utf8")
            }) || cfg!(windows),
            circumstances: Circumstances {
                credentials: Provider::ALL.iter().filter_map(|provider| provider.rules().variable).collect(),
                reader: reader.or(log),
                agent: agent.is_some(),
                github_actions: is_on("GITHUB_ACTIONS"),
                github_env: path("GITHUB_ENV"),
                github_output: path("GITHUB_OUTPUT"),
                gitlab_project: path("CI_PROJECT_DIR").filter(|_| is_on("GITLAB_CI")),
                tmux: text("TMUX").is_some(),
                ssh: text("SSH_CONNECTION").is_some(),
            },
        }
    }

    /// What the terminal needs to know.
    pub(crate) const fn surroundings(&self) -> Surroundings {
        Surroundings {
            no_color: self.no_color,
            dumb: self.dumb,
            ci: self.ci,
            columns: self.columns,
            unicode: self.unicode,
        }
    }

    /// What the places for secrets need to know.
    pub(crate) const fn circumstances(&self) -> &Circumstances {
        &self.circumstances
    }

    /// Where this user's data lives; not made here.
    pub(crate) fn data_directory(&self) -> Result<PathBuf, ConfigError> {
        if let Some(directory) = &self.data_directory {
            return Ok(directory.clone());
        }
        let project = ProjectDirs::from("", "", "keys").ok_or(ConfigError::NoHome)?;
        Ok(project.data_dir().to_owned())
    }

    /// Where this user's configuration lives; not made here.
    pub(crate) fn config_directory(&self) -> Result<PathBuf, ConfigError> {
        if let Some(directory) = &self.config_directory {
            return Ok(directory.clone());
        }
        let project = ProjectDirs::from("", "", "keys").ok_or(ConfigError::NoConfigHome)?;
        Ok(project.config_dir().to_owned())
    }

    /// Where the names of keys that were seen are kept for the shell; not made here. Nowhere in CI, where nobody types.
    pub(crate) fn names_directory(&self) -> Option<PathBuf> {
        if self.ci {
            return None;
        }
        let directory = self.cache_directory.clone();
        let usual = || ProjectDirs::from("", "", "keys").map(|project| project.cache_dir().to_owned());
        Some(directory.or_else(usual)?.join("names"))
    }

    /// Whether a window can come up, such as that of a keyring that wants to be unlocked.
    pub(crate) const fn has_display(&self) -> bool {
        self.display
    }

    /// The variable that holds the key for a provider, which comes before everything that is stored.
    pub(crate) fn key_variable(&self, provider: Provider) -> Option<&'static str> {
        self.key_text(provider).map(|(variable, _)| variable)
    }

    fn key_text(&self, provider: Provider) -> Option<(&'static str, &Zeroizing<String>)> {
        let usual = || {
            let (variable, text) = self.usual_keys.iter().find(|(name, _)| provider.rules().variable == Some(*name))?;
            Some((*variable, text))
        };
        self.api_key.as_ref().map(|text| ("KEYS_API_KEY", text)).or_else(usual)
    }

    /// The profile that the environment names.
    pub(crate) fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// The key for a provider, and the variable that holds it.
    pub(super) fn api_key(&self, provider: Provider) -> Result<Option<(PlainKey, &'static str)>, ConfigError> {
        let Some((variable, text)) = self.key_text(provider) else { return Ok(None) };
        let key = PlainKey::parse(text).map_err(|source| ConfigError::UnusableKey { variable, source })?;
        Ok(Some((key, variable)))
    }

    /// The provider that the environment names.
    pub(super) fn provider(&self) -> Result<Option<Provider>, ConfigError> {
        let known = |name: &String| Provider::named(name).ok_or_else(|| ConfigError::UnknownProvider(name.clone()));
        self.provider.as_ref().map(known).transpose()
    }

    /// One in which nothing is set but where things lie.
    #[cfg(test)]
    pub(super) fn of_test(config_directory: PathBuf, data_directory: PathBuf) -> Self {
        Self {
            profile: None,
            provider: None,
            api_key: None,
            usual_keys: Vec::new(),
            api_url: None,
            circumstances: Circumstances::default(),
            config_directory: Some(config_directory),
            data_directory: Some(data_directory),
            cache_directory: None,
            certificates: None,
            display: false,
            database: None,
            no_input: false,
            no_color: false,
            ci: false,
            dumb: false,
            columns: None,
            unicode: false,
        }
    }
}
