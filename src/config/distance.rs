//! Which provider tells road distances, where it is, and the key to it.

use std::fmt;

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use super::{ConfigError, Environment};

const DISTANCE_MATRIX_API: &str = "https://maps.googleapis.com/maps/api/distancematrix/json";
const ROUTES_API: &str = "https://routes.googleapis.com/distanceMatrix/v2:computeRouteMatrix";
const PROVIDERS: [&str; 4] = ["google", "google-routes", "osrm", "haversine"];
const A_URL: &str = "an http or https URL";
const A_KEY: &str = "a Google Maps Platform API key";

/// `DISTANCE_PROVIDER`: default `google` if `GMAP_TOKEN` is set, else `haversine`.
pub enum Distance {
    /// `google`: Google's Distance Matrix API (legacy).
    Google {
        /// `GMAP_TOKEN`.
        key: SecretString,
        /// `GMAP_DISTANCE_MATRIX_API`, default Google's own address.
        url: Url,
    },
    /// `google-routes`: the Routes API's `computeRouteMatrix`.
    GoogleRoutes {
        /// `GMAP_TOKEN`.
        key: SecretString,
        /// `GMAP_ROUTES_API`, default Google's own address.
        url: Url,
    },
    /// `osrm`: any OSRM server.
    Osrm {
        /// `OSRM_URL`, such as `http://127.0.0.1:5000`.
        url: Url,
    },
    /// `haversine`: great-circle metres, no network.
    Haversine,
}

/// The provider alone: an address may hold a password.
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
        let provider = environment.optional(
            "DISTANCE_PROVIDER",
            "one of google, google-routes, osrm, haversine",
            |value| PROVIDERS.into_iter().find(|known| *known == value),
        )?;
        let key = || environment.secret("GMAP_TOKEN", A_KEY, is_visible);
        let has_key = environment.get("GMAP_TOKEN").is_some();
        Ok(match provider {
            Some("google-routes") => Self::GoogleRoutes {
                key: key()?,
                url: url(environment, "GMAP_ROUTES_API", Some(ROUTES_API))?,
            },
            Some("osrm") => Self::Osrm {
                url: url(environment, "OSRM_URL", None)?,
            },
            Some("google") => Self::google(key()?, environment)?,
            None if has_key => Self::google(key()?, environment)?,
            _ => Self::Haversine,
        })
    }

    fn google(key: SecretString, environment: &Environment) -> Result<Self, ConfigError> {
        let url = url(environment, "GMAP_DISTANCE_MATRIX_API", Some(DISTANCE_MATRIX_API))?;
        Ok(Self::Google { key, url })
    }
}

fn is_visible(key: &str) -> bool {
    key.bytes().all(|byte| byte.is_ascii_graphic())
}

fn url(environment: &Environment, name: &'static str, default: Option<&str>) -> Result<Url, ConfigError> {
    let parse = |value: &str| {
        let url = Url::parse(value).ok()?;
        ["http", "https"].contains(&url.scheme()).then_some(url)
    };
    // It may have a name and a password in it.
    if environment.get(name).is_some_and(|value| value.contains('@')) {
        let url = environment.secret(name, A_URL, |value| parse(value).is_some())?;
        return parse(url.expose_secret()).ok_or_else(|| Environment::missing(name, A_URL));
    }
    environment
        .optional(name, A_URL, parse)?
        .or_else(|| default.and_then(parse))
        .ok_or_else(|| Environment::missing(name, A_URL))
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
    fn a_provider_without_what_it_needs_is_refused() {
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
