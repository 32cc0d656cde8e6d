//! The provider of road distances, with its address and key.

use std::fmt;

use reqwest::Url;
use secrecy::SecretString;

use super::settings::{DISTANCE_PROVIDER, GMAP_DISTANCE_MATRIX_API, GMAP_ROUTES_API, GMAP_TOKEN, OSRM_URL};
use super::{ConfigError, Environment};

/// `DISTANCE_PROVIDER`.
pub enum Distance {
    /// `google`: Google's Distance Matrix API (legacy).
    Google {
        /// `GMAP_TOKEN`.
        key: SecretString,
        /// `GMAP_DISTANCE_MATRIX_API`.
        url: Url,
    },
    /// `google-routes`: the Routes API's `computeRouteMatrix`.
    GoogleRoutes {
        /// `GMAP_TOKEN`.
        key: SecretString,
        /// `GMAP_ROUTES_API`.
        url: Url,
    },
    /// `osrm`: any OSRM server.
    Osrm {
        /// `OSRM_URL`.
        url: Url,
    },
    /// `haversine`: great-circle metres, no network.
    Haversine,
}

/// Only the provider's name: an address may contain a password.
impl fmt::Debug for Distance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Google { .. } => "Google",
            Self::GoogleRoutes { .. } => "GoogleRoutes",
            Self::Osrm { .. } => "Osrm",
            Self::Haversine => "Haversine",
        })
    }
}

impl Distance {
    pub(super) fn read(environment: &Environment) -> Result<Self, ConfigError> {
        let provider = environment.optional(DISTANCE_PROVIDER, |text| DISTANCE_PROVIDER.word(text))?;
        let has_key = environment.set(GMAP_TOKEN).is_some();
        let key = || environment.secret(GMAP_TOKEN, is_visible);
        Ok(
            match provider.unwrap_or(if has_key { "google" } else { "haversine" }) {
                "google" => Self::Google {
                    key: key()?,
                    url: environment.read(GMAP_DISTANCE_MATRIX_API, url)?,
                },
                "google-routes" => Self::GoogleRoutes {
                    key: key()?,
                    url: environment.read(GMAP_ROUTES_API, url)?,
                },
                "osrm" => Self::Osrm {
                    url: environment.read(OSRM_URL, url)?,
                },
                _ => Self::Haversine,
            },
        )
    }
}

fn is_visible(key: &str) -> bool {
    key.bytes().all(|byte| byte.is_ascii_graphic())
}

fn url(value: &str) -> Option<Url> {
    let url = Url::parse(value).ok()?;
    ["http", "https"].contains(&url.scheme()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::{Distance, Environment};

    #[test]
    fn a_password_in_an_address_does_not_show() {
        let address = ("OSRM_URL", "http://me:hunter2@127.0.0.1:5000");
        let osrm = Distance::read(&Environment::of(&[("DISTANCE_PROVIDER", "osrm"), address]));
        assert_eq!(format!("{:?}", osrm.unwrap()), "Osrm");
        let wrong = ("OSRM_URL", "ftp://me:hunter2@127.0.0.1");
        let refused = Distance::read(&Environment::of(&[("DISTANCE_PROVIDER", "osrm"), wrong]));
        assert!(!refused.unwrap_err().to_string().contains("hunter2"));
    }

    #[test]
    fn a_key_makes_google_the_default() {
        let with_key = Distance::read(&Environment::of(&[("GMAP_TOKEN", "k")])).unwrap();
        assert!(matches!(with_key, Distance::Google { .. }));
        let without = Distance::read(&Environment::of(&[])).unwrap();
        assert!(matches!(without, Distance::Haversine));
    }

    #[test]
    fn a_provider_without_its_settings_is_refused() {
        for (provider, needs) in [
            ("google", "GMAP_TOKEN"),
            ("google-routes", "GMAP_TOKEN"),
            ("osrm", "OSRM_URL"),
        ] {
            let chosen = Environment::of(&[("DISTANCE_PROVIDER", provider)]);
            let error = Distance::read(&chosen).unwrap_err().to_string();
            assert!(error.starts_with(needs), "{error}");
        }
    }
}
