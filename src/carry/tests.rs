use super::archive::{Kind, Writer, read};
use super::*;
use std::path::{Path, PathBuf};

fn written(dir: &Path) -> PathBuf {
    let path = dir.join("export");
    let mut writer = Writer::create(&path).expect("made");
    writer.frame(Kind::Secret, &[&[7; 32]]).expect("written");
    writer.frame(Kind::Sum, &[b"a line", b" in parts"]).expect("written");
    writer.finish().expect("written");
    path
}

fn told(path: &Path) -> String {
    match open(path) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn an_export_is_read_back_and_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("a directory");
    let path = written(dir.path());
    let mut frames = Vec::new();
    read(&path, &mut |kind, bytes| {
        frames.push((kind, bytes.to_vec()));
        Ok(())
    })
    .expect("it is whole");
    assert_eq!(
        frames,
        [(Kind::Secret, vec![7; 32]), (Kind::Sum, b"a line in parts".to_vec())]
    );
    assert_eq!(open(&path).expect("it is whole").secret, [7; 32]);
    let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(Writer::create(&path).is_err(), "another export is never written over");
}

#[test]
fn every_byte_of_an_export_is_checked() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = written(dir.path());
    let sound = std::fs::read(&path).expect("it reads");
    for at in 0..sound.len() {
        let mut flipped = sound.clone();
        flipped[at] ^= 1;
        std::fs::write(&path, &flipped).expect("written");
        assert!(!told(&path).is_empty(), "byte {at}");
        std::fs::write(&path, &sound[..at]).expect("written");
        assert!(told(&path).contains("export again"), "cut at {at}: {}", told(&path));
    }
    let mut newer = sound.clone();
    newer[16] = b'2';
    std::fs::write(&path, &newer).expect("written");
    assert!(told(&path).contains("newer release"), "{}", told(&path));
    std::fs::write(&path, [&sound[..], b"x"].concat()).expect("written");
    assert!(told(&path).contains("not whole"), "{}", told(&path));
}
