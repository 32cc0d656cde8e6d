//! A headless Chromium, driven through Debian's chromedriver.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;

/// Longer than anything on the page takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Stopped with the test.
pub struct Browser {
    pub page: Client,
    driver: Child,
    profile: PathBuf,
}

impl Browser {
    pub async fn open(url: &str) -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .spawn()
            .expect("chromedriver is not installed: scripts/packages.sh install chromium chromium-driver");
        let mut said = BufReader::new(driver.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let port = said
            .find_map(|line| {
                Some(
                    line.split_once("successfully on port ")?
                        .1
                        .trim_end_matches('.')
                        .to_owned(),
                )
            })
            .expect("chromedriver ended before it listened");
        std::thread::spawn(move || said.for_each(drop));

        let profile = std::env::temp_dir().join(format!("order-api-loadtests-{}", std::process::id()));
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--window-size=1100,1450",
            &format!("--user-data-dir={}", profile.display()),
        ];
        let options = json!({"goog:chromeOptions": {"args": arguments}});
        let page = ClientBuilder::new(HttpConnector::new())
            .capabilities(options.as_object().unwrap().clone())
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .unwrap();
        page.goto(url).await.unwrap();
        Self {
            page,
            driver,
            profile,
        }
    }

    pub async fn text(&self, css: &str) -> String {
        self.page
            .find(Locator::Css(css))
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    }

    /// Waits until the element can be clicked, and clicks it.
    pub async fn press(&self, css: &str) {
        let ready = format!("{css}:not([disabled]):not([aria-disabled=true])");
        let wait = self.page.wait().at_most(PATIENCE);
        let button = wait.for_element(Locator::Css(&ready)).await.unwrap();
        button.click().await.unwrap();
    }

    pub async fn type_into(&self, css: &str, text: &str) {
        let field = self.page.find(Locator::Css(css)).await.unwrap();
        let typing = async {
            // The page fills the field itself at its first update, possibly between these two steps.
            while field.prop("value").await.unwrap().as_deref() != Some(text) {
                field.clear().await.unwrap();
                field.send_keys(text).await.unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, typing).await.unwrap();
    }

    /// Polls until the text is as expected.
    pub async fn until(&self, css: &str, wanted: impl Fn(&str) -> bool) -> String {
        let looking = async {
            loop {
                let text = self.text(css).await;
                if wanted(&text) {
                    return text;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        match tokio::time::timeout(PATIENCE, looking).await {
            Ok(text) => text,
            Err(_) => panic!("{css} stays {:?}", self.text(css).await),
        }
    }

    /// Closes a `<details>`, and scrolls back to the top.
    pub async fn fold(&self, css: &str) {
        let script = "document.querySelector(arguments[0]).open = false; scrollTo(0, 0)";
        self.page.execute(script, vec![json!(css)]).await.unwrap();
    }

    /// Saves a picture as `loadtests/reports/<name>.png`: of the window for `body`, else of the element.
    pub async fn picture_of(&self, css: &str, name: &str) {
        let element = self.page.find(Locator::Css(css)).await.unwrap();
        let picture = match css {
            "body" => self.page.screenshot().await.unwrap(),
            _ => element.screenshot().await.unwrap(),
        };
        let reports = concat!(env!("CARGO_MANIFEST_DIR"), "/reports");
        std::fs::create_dir_all(reports).unwrap();
        std::fs::write(format!("{reports}/{name}.png"), picture).unwrap();
    }

    pub async fn close(self) {
        self.page.clone().close().await.unwrap();
    }
}

impl Browser {
    /// After a failure: the processes with this browser's profile in their command line.
    fn end_what_the_driver_left(&self) {
        let profile = self.profile.display().to_string();
        for process in std::fs::read_dir("/proc").unwrap().flatten() {
            let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            if String::from_utf8_lossy(&line).contains(&profile) {
                let _ = Command::new("kill")
                    .arg("-KILL")
                    .arg(process.file_name())
                    .status();
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        self.end_what_the_driver_left();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}
