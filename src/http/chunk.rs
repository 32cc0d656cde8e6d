//! How much of an answer's body is read at a time: Rocket's 4 KiB are too much for most and too little for some.

use rocket::Response;

/// Bytes at a time of a body that is long, or of unknown length.
const CHUNK_MAX: usize = 64 * 1024;

/// Has the body read at once, and its end found in the same buffer, unless it is long.
pub(super) fn fit(response: &mut Response<'_>) {
    let chunk = match response.body().preset_size() {
        Some(size) => CHUNK_MAX.min(size + 1),
        None => return, // a stream has what there is sent at once
    };
    response.set_max_chunk_size(chunk);
}
