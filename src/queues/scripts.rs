//! The Lua scripts, each after their common part.

use std::sync::LazyLock;

use super::keys;
use super::model::QueueName;
use crate::broker::{Call, Script};

/// After this many deliveries without an acknowledgement a message becomes a dead letter.
const MAX_ATTEMPTS: u32 = 5;

macro_rules! script {
    ($name:ident, $shebang:literal, $file:literal) => {
        pub(super) static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new(concat!(
                $shebang,
                "\n",
                include_str!("scripts/queue.lua"),
                include_str!($file)
            ))
        });
    };
}

// Scripts that drain a queue work in a Redis that is out of memory; the others are refused completely.
script!(PUSH, "#!lua", "scripts/push.lua");
script!(RECEIVE, "#!lua flags=allow-oom", "scripts/receive.lua");
script!(ACKNOWLEDGE, "#!lua flags=allow-oom", "scripts/acknowledge.lua");
script!(DEFER, "#!lua flags=allow-oom", "scripts/defer.lua");
script!(UNDO, "#!lua flags=allow-oom", "scripts/undo.lua");
script!(NUMBERS, "#!lua flags=allow-oom", "scripts/numbers.lua");
script!(DEAD, "#!lua flags=allow-oom", "scripts/dead.lua");
script!(REDRIVE, "#!lua flags=allow-oom", "scripts/redrive.lua");
script!(PURGE, "#!lua flags=allow-oom", "scripts/purge.lua");
script!(PURGE_DEAD, "#!lua flags=allow-oom", "scripts/purge_dead.lua");
script!(DELETE, "#!lua flags=allow-oom", "scripts/delete.lua");

/// Reads the totals of some queues; their keys are its only arguments.
pub(super) static TOTALS: LazyLock<Script> = LazyLock::new(|| {
    Script::new(concat!(
        "#!lua flags=no-writes\n",
        include_str!("scripts/totals.lua")
    ))
});

/// A call of `script` on `queue`, with all names of `queue.lua`; the script's own arguments follow.
pub(super) fn call<'s>(script: &'s Script, queue: &QueueName) -> Call<'s> {
    let mut call = script.on(&keys::queue(queue));
    call.arg(MAX_ATTEMPTS);
    call
}
