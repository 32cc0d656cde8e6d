//! Lua scripts, which Redis keeps from the first time on.

use redis::{Cmd, ToRedisArgs, cmd};

/// A script. Its first line is `#!lua`, so that Redis refuses it as a whole or not at all: where it may not write,
/// and, without the flag `allow-oom`, where it is at its `maxmemory`.
pub struct Script {
    code: &'static str,
    hash: String,
}

impl Script {
    /// Of this code.
    #[must_use]
    pub fn new(code: &'static str) -> Self {
        let hash = redis::Script::new(code).get_hash().to_owned();
        Self { code, hash }
    }

    /// A call with these keys; the arguments are to follow.
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
    /// Adds an argument, or some.
    pub fn arg<T: ToRedisArgs>(&mut self, argument: T) -> &mut Self {
        self.command.arg(argument);
        self
    }

    /// A command that is sent with the call and comes before it, whatever becomes of it.
    #[must_use]
    pub fn after(mut self, first: Cmd) -> Self {
        self.first = Some(first);
        self
    }
}
