//! B-trees of version 2 (section III.A.2), which index links, attributes and chunks.

use super::bytes::{Bytes, width};
use super::{Fault, File, Found, NOWHERE};

/// Bytes of a node beside its records: letters, version, kind, checksum.
const AROUND: usize = 4 + 1 + 1 + 4;

/// Levels of a tree that a file could hold.
const DEEPEST: usize = 16;

/// What is told each record: the kind of the tree, and the record.
type Visit<'v> = &'v mut dyn FnMut(u8, &[u8]) -> Found<()>;

struct Tree {
    kind: u8,
    record: usize,
    /// Bytes of the number of a child's records, and of all below it, by level.
    count: usize,
    total: Vec<usize>,
}

/// Visits all records of a tree.
pub(super) fn walk(file: &File<'_>, address: u64, visit: Visit<'_>) -> Found<()> {
    let mut header = file.block(address, b"BTHD", 0)?;
    let kind = header.byte()?;
    let (node, record) = (header.number(4)?, header.number(2)?);
    let depth = header.number(2)?;
    header.skip(2)?;
    let (root, records) = (header.wide()?, header.number(2)?);
    if root == NOWHERE || records == 0 {
        return Ok(());
    }
    if depth > DEEPEST || record == 0 || node <= AROUND + record {
        return Err(Fault::Broken);
    }
    let most = (node - AROUND) / record;
    let count = width(most);
    let (mut total, mut below) = (vec![0], most);
    for level in 1..depth {
        let pointer = 8 + count + total[level - 1];
        let most = node.saturating_sub(AROUND + pointer) / (record + pointer);
        below = (most + 1).saturating_mul(below).saturating_add(most);
        total.push(width(below));
    }
    let tree = Tree {
        kind,
        record,
        count,
        total,
    };
    tree.visit(file, root, depth, records, visit)
}

impl Tree {
    fn visit(
        &self,
        file: &File<'_>,
        address: u64,
        level: usize,
        records: usize,
        visit: Visit<'_>,
    ) -> Found<()> {
        let letters = if level == 0 { b"BTLF" } else { b"BTIN" };
        let mut node = file.block(address, letters, 0)?;
        if node.byte()? != self.kind {
            return Err(Fault::Broken);
        }
        for _ in 0..records {
            file.step()?;
            visit(self.kind, node.take(self.record)?)?;
        }
        if level > 0 {
            let mut children = Bytes(node.0);
            for _ in 0..=records {
                let child = children.wide()?;
                let records = children.number(self.count)?;
                children.skip(self.total[level - 1])?;
                self.visit(file, child, level - 1, records, visit)?;
            }
        }
        Ok(())
    }
}
