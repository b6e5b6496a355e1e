//! What the plugin is and does: one route, one store.

use std::collections::HashMap;
use std::io;
use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{json, Map, Value};

#[derive(Default)]
pub struct Plugin {
    instance_id: Mutex<Option<String>>,
    store: Mutex<HashMap<String, String>>,
}

/// What becomes of a message.
pub enum Outcome {
    Answer(Vec<u8>),
    Nothing,
    Shutdown,
}

impl Plugin {
    pub fn metadata() -> Value {
        json!({
            "id": "hello-unix-json-rust",
            "name": "Hello in Rust",
            "version": env!("CARGO_PKG_VERSION"),
            "author": null,
            "icon": "\u{1f980}",
            "route": "/hello-unix-json-rust",
        })
    }

    /// An error ends the connection: whoever sends what cannot be read would not understand an answer either.
    pub fn answer(&self, body: &[u8]) -> io::Result<Outcome> {
        let message: Value = serde_json::from_slice(body)?;
        let payload = &message["payload"];
        let request_id = &payload["request_id"];
        match payload["type"].as_str() {
            Some("lifecycle") => Ok(self.lifecycle(payload)),
            Some("http") => {
                let response = self.http(&payload["payload"]).to_string();
                // The form of a response: a request that nobody makes, with the response as its body.
                let filler =
                    json!({ "method": "RESPONSE", "path": "", "headers": {}, "body": response });
                let payload =
                    json!({ "type": "http", "request_id": request_id, "payload": filler });
                Ok(reply("http", request_id, payload))
            }
            Some("kv") => {
                let value = self.kv(payload)?;
                let payload = json!({ "type": "kv", "request_id": request_id, "value": value });
                Ok(reply("kv", request_id, payload))
            }
            other => Err(invalid(&format!(
                "messages of type {other:?} are not known"
            ))),
        }
    }

    fn lifecycle(&self, payload: &Value) -> Outcome {
        match payload["action"].as_str() {
            Some("init") => {
                *self.instance_id.lock().unwrap() =
                    payload["instance_id"].as_str().map(str::to_owned);
                log("info", "initialised");
                Outcome::Nothing
            }
            Some("shutdown") => Outcome::Shutdown,
            // What a newer host may say is not for this plugin.
            _ => Outcome::Nothing,
        }
    }

    fn http(&self, request: &Value) -> Value {
        let whole = request["path"].as_str().unwrap_or("/");
        let (path, query) = whole.split_once('?').unwrap_or((whole, ""));
        match path {
            "/" => {
                let instance_id = self.instance_id.lock().unwrap();
                let message = json!({
                    "message": "Hello from Rust",
                    "instance_id": instance_id.as_deref().unwrap_or("unknown"),
                    "time": now(),
                });
                respond(200, &message)
            }
            "/echo" => {
                let mut seen = request.as_object().cloned().unwrap_or_else(Map::new);
                seen.insert("query".into(), query.into());
                respond(200, &Value::Object(seen))
            }
            "/fail" => respond(
                500,
                &json!({ "error": "Internal", "message": "asked to fail" }),
            ),
            _ => respond(404, &json!({ "error": "Not found" })),
        }
    }

    fn kv(&self, payload: &Value) -> io::Result<Value> {
        let key = payload["key"]
            .as_str()
            .ok_or_else(|| invalid("a key is missing"))?;
        let mut store = self.store.lock().unwrap();
        match payload["action"].as_str() {
            Some("Get") => {
                return Ok(store
                    .get(key)
                    .map_or(Value::Null, |value| value.as_str().into()))
            }
            Some("Set") => {
                let value = payload["value"]
                    .as_str()
                    .ok_or_else(|| invalid("a value is missing"))?;
                store.insert(key.to_owned(), value.to_owned());
            }
            Some("Delete") => {
                store.remove(key);
            }
            other => return Err(invalid(&format!("there is no action {other:?}"))),
        }
        Ok(Value::Null)
    }
}

fn respond(status: u16, body: &Value) -> Value {
    json!({ "status": status, "headers": { "Content-Type": "application/json" }, "body": body.to_string() })
}

fn reply(kind: &str, request_id: &Value, payload: Value) -> Outcome {
    let message =
        json!({ "type": kind, "timestamp": now(), "request_id": request_id, "payload": payload });
    Outcome::Answer(message.to_string().into_bytes())
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

/// One line of JSON on standard error.
pub fn log(level: &str, message: &str) {
    eprintln!(
        "{}",
        json!({ "timestamp": now(), "level": level, "message": message })
    );
}

fn now() -> String {
    let time = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    rfc3339(time)
}

/// A time since 1970 as RFC 3339, in UTC.
fn rfc3339(time: Duration) -> String {
    let (days, second) = ((time.as_secs() / 86_400) as i64, time.as_secs() % 86_400);
    // Days are counted from 1 March of year 0, so that the leap day is the last of its year.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    let nanos = time.subsec_nanos();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanos:09}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_times() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.000000000Z"),
            (951_782_400, "2000-02-29T00:00:00.000000000Z"),
            (1_767_225_599, "2025-12-31T23:59:59.000000000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000000000Z"),
        ] {
            assert_eq!(rfc3339(Duration::from_secs(seconds)), text);
        }
    }
}
