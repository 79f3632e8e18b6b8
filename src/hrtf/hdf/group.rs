//! What a group holds: links in its header or a heap, or the old tables of symbols.

use super::bytes::{Bytes, plain};
use super::header::{Header, kind};
use super::heap::FractalHeap;
use super::tree;
use super::{Fault, File, Found, NOWHERE};

/// Links that are stored in a heap, in the order of names.
const LINKS_BY_NAME: u8 = 5;

/// Most members; longest name.
const MOST: usize = 10_000;
const LONGEST: usize = 1024;

/// Names and addresses of the members.
pub(super) fn entries(file: &File<'_>, header: &Header<'_>) -> Found<Vec<(String, u64)>> {
    let mut entries = Vec::new();
    for message in header.all(file, kind::LINK)? {
        entries.extend(link(message)?);
    }
    if let Some(mut info) = header.only(file, kind::LINKS)? {
        info.skip(1)?;
        let flags = info.byte()?;
        info.skip(if flags & 1 != 0 { 8 } else { 0 })?;
        let (heap, index) = (info.wide()?, info.wide()?);
        if heap != NOWHERE && index != NOWHERE {
            let heap = FractalHeap::open(file, heap)?;
            tree::walk(file, index, &mut |kind, record| {
                if kind != LINKS_BY_NAME {
                    return Err(Fault::Broken);
                }
                let id = record.get(4..).ok_or(Fault::Broken)?;
                if let Some(found) = heap.object(file, id)? {
                    entries.extend(link(found)?);
                }
                if entries.len() > MOST {
                    return Err(Fault::Broken);
                }
                Ok(())
            })?;
        }
    }
    if let Some(mut table) = header.only(file, kind::OLD_GROUP)? {
        let (tree, heap) = (table.wide()?, table.wide()?);
        let mut heap = file.block(heap, b"HEAP", 0)?;
        heap.skip(3)?;
        let size = heap.number(8)?;
        heap.skip(8)?;
        let names = file.at(heap.wide()?)?.take(size)?;
        symbols(file, tree, None, names, &mut entries)?;
    }
    Ok(entries)
}

/// A link that leads to an object; none for those that lead to names.
fn link(mut message: Bytes<'_>) -> Found<Option<(String, u64)>> {
    if message.byte()? != 1 {
        return Err(Fault::Broken);
    }
    let flags = message.byte()?;
    let hard = flags & 8 == 0 || message.byte()? == 0;
    let order = if flags & 4 != 0 { 8 } else { 0 };
    let letters = if flags & 16 != 0 { 1 } else { 0 };
    message.skip(order + letters)?;
    let length = message.number(1 << (flags & 3))?;
    let name = plain(message.take(length)?);
    Ok(if hard {
        Some((name, message.wide()?))
    } else {
        None
    })
}

/// The entries of a node of an old group's tree; `above` is the level of the node above.
fn symbols(
    file: &File<'_>,
    address: u64,
    above: Option<u8>,
    names: &[u8],
    entries: &mut Vec<(String, u64)>,
) -> Found<()> {
    let mut node = file.block(address, b"TREE", 0)?;
    let level = node.byte()?;
    if above.is_some_and(|above| u16::from(level) + 1 != u16::from(above)) {
        return Err(Fault::Broken);
    }
    let children = node.number(2)?;
    node.skip(16)?;
    for _ in 0..children {
        node.skip(8)?;
        let child = node.wide()?;
        if level > 0 {
            symbols(file, child, Some(level), names, entries)?;
            continue;
        }
        let mut table = file.block(child, b"SNOD", 1)?;
        table.skip(1)?;
        for _ in 0..table.number(2)? {
            file.step()?;
            let name = names.get(table.number(8)?..).ok_or(Fault::Broken)?;
            entries.push((plain(&name[..name.len().min(LONGEST)]), table.wide()?));
            if entries.len() > MOST {
                return Err(Fault::Broken);
            }
            table.skip(24)?;
        }
    }
    Ok(())
}
