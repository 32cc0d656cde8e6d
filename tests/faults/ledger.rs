//! What the service has confirmed: every change that was answered with success. The audit checks all of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use serde_json::Value;

use crate::client::{Reply, Request};

#[derive(Default)]
pub struct Ledger {
    pub placed: Vec<i64>,
    /// The number of confirmed takes of each order.
    pub won: BTreeMap<i64, u32>,
    /// The messages of the plain queue: added by a confirmed push, removed by a confirmed pop.
    pub pushed: BTreeSet<String>,
    pub popped: BTreeSet<String>,
    pub popped_twice: usize,
    /// Pops that may or may not have removed a message.
    pub unknown_pops: usize,
    pub keys: BTreeSet<String>,
    /// The messages of the reliable queue: queued, and acknowledged.
    pub queued: BTreeSet<String>,
    pub done: BTreeMap<String, Instant>,
    /// Messages whose acknowledgement had an unknown outcome.
    pub maybe_done: BTreeSet<String>,
    /// Messages that were received again after their acknowledgement.
    pub came_again: usize,
    /// Receipts and their messages, to be acknowledged.
    pub receipts: VecDeque<(String, String)>,
    /// The same, to be deferred first.
    pub fresh: VecDeque<(String, String)>,
    received: usize,
}

/// The text of a member; empty if it is missing.
pub fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_default().to_owned()
}

impl Ledger {
    pub fn place(&mut self, _: &Request, reply: &Reply) {
        self.placed
            .extend(reply.body["id"].as_i64().filter(|_| reply.status == 200));
    }

    pub fn take(&mut self, request: &Request, reply: &Reply) {
        if reply.status == 200 {
            *self.won.entry(request.about.parse().unwrap()).or_default() += 1;
        }
    }

    pub fn push(&mut self, request: &Request, reply: &Reply) {
        if reply.status == 200 {
            self.pushed.insert(request.about.clone());
        }
    }

    pub fn pop(&mut self, _: &Request, reply: &Reply) {
        if reply.is_unknown() {
            self.unknown_pops += 1;
        }
        if let Some(message) = reply.body["message"].as_str()
            && !self.popped.insert(message.to_owned())
        {
            self.popped_twice += 1;
        }
    }

    pub fn keep(&mut self, request: &Request, reply: &Reply) {
        if [200, 201].contains(&reply.status) {
            self.keys.insert(request.about.clone());
        }
    }

    pub fn queue(&mut self, request: &Request, reply: &Reply) {
        if reply.status == 200 {
            self.queued.insert(request.about.clone());
        }
    }

    /// One message in seven is never acknowledged by its receiver: it must be delivered again.
    pub fn receive(&mut self, _: &Request, reply: &Reply) {
        for message in reply.body["messages"].as_array().into_iter().flatten() {
            let (receipt, text) = (text(message, "receipt"), text(message, "message"));
            self.received += 1;
            // A message acknowledged before this receive began must not be in it.
            if self.done.get(&text).is_some_and(|done| *done < reply.asked) {
                self.came_again += 1;
            }
            match self.received % 7 {
                0 => {}
                1 | 3 | 5 => self.fresh.push_back((receipt, text)),
                _ => self.receipts.push_back((receipt, text)),
            }
        }
    }

    pub fn defer(&mut self, request: &Request, reply: &Reply) {
        if reply.status == 200 {
            let (receipt, message) = request.about.split_once(' ').unwrap();
            self.receipts.push_back((receipt.to_owned(), message.to_owned()));
        }
    }

    pub fn acknowledge(&mut self, request: &Request, reply: &Reply) {
        let (_, message) = request.about.split_once(' ').unwrap();
        if reply.status == 200 {
            self.done.insert(message.to_owned(), reply.ended);
        } else if reply.is_unknown() {
            self.maybe_done.insert(message.to_owned());
        }
    }

    pub fn ignore(&mut self, _: &Request, _: &Reply) {}

    /// The number of confirmed changes.
    pub fn acknowledged(&self) -> usize {
        let won: u32 = self.won.values().sum();
        let popped = self.popped.len() + self.done.len();
        self.placed.len() + won as usize + self.pushed.len() + self.keys.len() + self.queued.len() + popped
    }

    pub fn taken_twice(&self) -> usize {
        let orders = self.won.values().filter(|times| **times > 1).count();
        orders + self.popped_twice + self.came_again
    }
}
