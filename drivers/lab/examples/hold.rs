//! Holds the name of a lab until it is ended: `hold CACHE NAME`. The tests look for it.

use std::{env, error::Error, io, io::Read, path::PathBuf};

use migratrix_lab::{LabName, Labs};

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = env::args().skip(1);
    let cache = PathBuf::from(words.next().ok_or("name a cache folder")?);
    let name = LabName::new(&words.next().ok_or("name a lab")?)?;
    let _held = Labs::open(&cache)?.hold(&name)?;
    println!("held");
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
