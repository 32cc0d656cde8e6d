//! The chunk size of an answer's body: Rocket's 4 KiB are too much for most bodies and too little for some.

use rocket::Response;

/// The chunk size of a long body, or one of unknown length.
const CHUNK_MAX: usize = 64 * 1024;

/// Reads a short body at once, with its end in the same buffer.
pub(super) fn fit(response: &mut Response<'_>) {
    let chunk = match response.body().preset_size() {
        Some(size) => CHUNK_MAX.min(size + 1),
        None => return, // a stream sends what it has at once
    };
    response.set_max_chunk_size(chunk);
}
