//! Lua scripts, which Redis caches after the first call.

use redis::{Cmd, ToRedisArgs, cmd};

/// A script. Its first line is `#!lua`, so that Redis refuses it completely or not at all: if it may not write, and,
/// without the flag `allow-oom`, at its `maxmemory`.
pub struct Script {
    code: &'static str,
    hash: String,
}

impl Script {
    /// A script with this code.
    #[must_use]
    pub fn new(code: &'static str) -> Self {
        let hash = redis::Script::new(code).get_hash().to_owned();
        Self { code, hash }
    }

    /// A call with these keys; the arguments follow.
    #[must_use]
    pub fn on<K: ToRedisArgs>(&self, keys: &[K]) -> Call<'_> {
        let mut command = cmd("EVALSHA");
        command.arg(&self.hash).arg(keys.len()).arg(keys);
        Call {
            script: self,
            first: None,
            command,
        }
    }

    pub(super) fn load(&self) -> Cmd {
        let mut load = cmd("SCRIPT");
        load.arg("LOAD").arg(self.code);
        load
    }
}

/// A call of a script.
pub struct Call<'s> {
    pub(super) script: &'s Script,
    pub(super) first: Option<Cmd>,
    pub(super) command: Cmd,
}

impl Call<'_> {
    /// Adds one or more arguments.
    pub fn arg<T: ToRedisArgs>(&mut self, argument: T) -> &mut Self {
        self.command.arg(argument);
        self
    }

    /// A command that is sent before the call, in the same packet, whatever its result.
    #[must_use]
    pub fn after(mut self, first: Cmd) -> Self {
        self.first = Some(first);
        self
    }
}
