//! The Lua scripts, each behind the part that all of them begin with.

use std::sync::LazyLock;

use redis::{Script, ScriptInvocation};

use super::model::QueueName;
use crate::broker::keys;

/// After so many deliveries without an acknowledgement a message goes to the dead letters.
const MAX_ATTEMPTS: u32 = 5;

macro_rules! script {
    ($name:ident, $file:literal) => {
        pub(super) static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new(concat!(
                include_str!("scripts/queue.lua"),
                include_str!($file)
            ))
        });
    };
}

script!(PUSH, "scripts/push.lua");
script!(RECEIVE, "scripts/receive.lua");
script!(ACKNOWLEDGE, "scripts/acknowledge.lua");
script!(DEFER, "scripts/defer.lua");
script!(UNDO, "scripts/undo.lua");
script!(NUMBERS, "scripts/numbers.lua");
script!(DEAD, "scripts/dead.lua");
script!(REDRIVE, "scripts/redrive.lua");
script!(PURGE, "scripts/purge.lua");
script!(PURGE_DEAD, "scripts/purge_dead.lua");

/// A call of `script` on `queue`, with all that `queue.lua` names; the script's own arguments are to follow.
pub(super) fn call<'a>(script: &'a Script, queue: &QueueName) -> ScriptInvocation<'a> {
    let mut call = script.prepare_invoke();
    for key in keys::reliable_queue(queue.as_str()) {
        call.key(key);
    }
    call.arg(MAX_ATTEMPTS);
    call
}
