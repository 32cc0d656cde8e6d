//! The scripts find cargo's output, wherever the user has it built.

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn the_scripts_ask_cargo_where_it_builds() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut asked = Command::new(root.join("scripts/target-dir.sh"));
    let elsewhere = asked
        .env("CARGO_TARGET_DIR", "/elsewhere/target")
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8(elsewhere.stdout).unwrap().trim(),
        "/elsewhere/target"
    );

    for script in fs::read_dir(root.join("scripts")).unwrap() {
        let path = script.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        for place in ["target/release", "target/debug"] {
            assert!(!text.contains(place), "{} names {place}", path.display());
        }
    }
}
