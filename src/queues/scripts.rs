//! The Lua scripts, each behind the part that all of them begin with.

use std::sync::LazyLock;

use super::keys;
use super::model::QueueName;
use crate::broker::{Call, Script};

/// After so many deliveries without an acknowledgement a message goes to the dead letters.
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

// Whatever drains a queue works in a Redis that is out of memory; what fills it is refused as a whole.
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

/// Reads the totals of some queues, whose keys are all that it is told.
pub(super) static TOTALS: LazyLock<Script> = LazyLock::new(|| {
    Script::new(concat!(
        "#!lua flags=no-writes\n",
        include_str!("scripts/totals.lua")
    ))
});

/// A call of `script` on `queue`, with all that `queue.lua` names; the script's own arguments are to follow.
pub(super) fn call<'s>(script: &'s Script, queue: &QueueName) -> Call<'s> {
    let mut call = script.on(&keys::queue(queue));
    call.arg(MAX_ATTEMPTS);
    call
}
