//! A plugin that listens on the Unix socket that its host names in `TORU_PLUGIN_SOCKET`, and answers frames of JSON. It reads and
//! writes the form with a discriminator in the payload, in which a response stands as JSON within the body of a request.

mod frame;
mod plugin;

use std::env;
use std::fs;
use std::io::{self, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::exit;
use std::sync::Arc;
use std::thread;

use plugin::{Outcome, Plugin};

fn main() {
    if env::args().any(|argument| argument == "--metadata") {
        println!("{}", Plugin::metadata());
        return;
    }
    let Some(path) = env::var_os("TORU_PLUGIN_SOCKET") else {
        eprintln!("TORU_PLUGIN_SOCKET must name the socket to listen on");
        exit(2);
    };
    if let Err(error) = run(Path::new(&path)) {
        plugin::log("error", &format!("Cannot listen on {path:?}: {error}"));
        exit(1);
    }
}

fn run(path: &Path) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    if path.exists() {
        fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    let plugin = Arc::new(Plugin::default());
    // Side by side: one caller that keeps its connection does not stop the others.
    for connection in listener.incoming() {
        let (plugin, connection, path) = (Arc::clone(&plugin), connection?, path.to_owned());
        thread::spawn(move || {
            if let Err(error) = serve(&plugin, connection, &path) {
                plugin::log("warn", &format!("A connection ended: {error}"));
            }
        });
    }
    Ok(())
}

fn serve(plugin: &Plugin, mut connection: UnixStream, path: &Path) -> io::Result<()> {
    // One reader for the whole connection: a new one per frame would lose what the old one had read ahead.
    let mut reader = BufReader::new(connection.try_clone()?);
    while let Some(body) = frame::read(&mut reader)? {
        match plugin.answer(&body)? {
            Outcome::Answer(reply) => frame::write(&mut connection, &reply)?,
            Outcome::Nothing => {}
            Outcome::Shutdown => {
                plugin::log("info", "ends");
                let _ = fs::remove_file(path);
                exit(0);
            }
        }
    }
    Ok(())
}
