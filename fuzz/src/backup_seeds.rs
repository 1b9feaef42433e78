//! What the target of backups starts from.

use claviger::backup::{Part, write_part};
use claviger::custody::Hash;
use claviger::store::{Column, Kind, Piece, TableEnd, TableHead};

use crate::write;

/// Fills the target's folder.
pub fn fill() -> std::io::Result<()> {
    let column = |name: &str, kind| Column {
        name: name.to_owned(),
        kind,
    };
    let head = TableHead {
        name: "adapter_setting".to_owned(),
        columns: vec![
            column("id", Kind::Bytes),
            column("kind", Kind::Text),
            column("size", Kind::Integer),
        ],
    };
    let row = [
        &[1, 0, 0, 0, 2, 7, 8][..],
        &[2, 0, 0, 0, 1, b'x'],
        &[3, 0, 0, 0, 0, 0, 0, 0, 9],
        &[0, 0, 0],
    ];
    let parts = [
        Part::File {
            path: "/etc/claviger/claviger.toml".to_owned(),
            content: b"version = \"v1\"\n".to_vec().into(),
        },
        Part::Rows(Piece::Table(head)),
        Part::Rows(Piece::Rows(row.concat())),
        Part::Rows(Piece::TableEnd(TableEnd {
            rows: 2,
            sha256: Hash([1; 32]),
        })),
        Part::Rows(Piece::End),
    ];
    let mut all = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        let mut one = Vec::new();
        write_part(part, &mut one).expect("a part can be written");
        write("backup", number, &one)?;
        all.extend(one);
    }
    write("backup", parts.len(), &all)
}
