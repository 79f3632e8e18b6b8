//! The graph as a picture: which nodes stand together, how deep each is, where it goes and how its wires run.

use crate::editor::link::Chain;
use egui::{Pos2, Rangef, Rect, Vec2, pos2, vec2};
use std::collections::BTreeMap;

/// A node's box, in units of the picture, at least.
const NODE: Vec2 = vec2(56.0, 36.0);
/// A closed group's.
const GROUP: Vec2 = vec2(70.0, 46.0);
/// The ends of the graph.
const END: Vec2 = vec2(34.0, 26.0);
/// Room between columns, and between those within a group.
const GAP: f32 = 18.0;
const CLOSE: f32 = 10.0;
/// Room between the boxes of a column, within a group.
const INNER_GAP: f32 = 10.0;
/// Room within an open group: at its sides, and above for its name.
const INNER: Vec2 = vec2(8.0, 10.0);
const TITLE: f32 = 26.0;
/// Rounds in which boxes and wires settle.
const ROUNDS: usize = 60;
/// Height of a wire's way through a column that it passes.
const WAY: f32 = 6.0;

/// Groups of nodes that have no common prefix.
const NAMED: [(&str, &[&str]); 5] = [
    ("input", &["input_gain", "gate", "leveller", "format"]),
    ("program", &["program", "insert_a", "direct", "rest"]),
    (
        "space",
        &[
            "send",
            "send_bus",
            "send_room",
            "space",
            "encode",
            "early",
            "late",
            "turn",
            "rotate",
            "decode",
        ],
    ),
    ("post", &["ears"]),
    (
        "output",
        &["fade", "output_gain", "insert_b", "ceiling", "bypass"],
    ),
];

/// Prefixes that make a group.
const PREFIXES: [&str; 7] = [
    "layer1", "layer2", "layer3", "layer4", "noise", "pre", "post",
];

/// A node of the engine's graph.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub name: String,
    /// What it is: "gain", "hrtf"; nothing for the ends.
    pub kind: String,
    /// Its place in the order of running.
    pub place: usize,
    /// Its group's place; none for the ends.
    pub group: Option<usize>,
}

/// What an insert holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Held {
    /// Its name, or how it is with it.
    pub text: String,
    /// It holds something.
    pub holds: bool,
    /// It has failed, or is left out.
    pub warns: bool,
}

/// The nodes that hold what inserts A and B do.
const INSERTS: [&str; 2] = ["insert_a", "insert_b"];

/// The graph, ready to be laid out.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Net {
    pub nodes: Vec<Node>,
    pub groups: Vec<String>,
    /// What inserts A and B hold.
    pub held: [Held; 2],
    /// From node to node, each once.
    wires: Vec<(usize, usize)>,
}

/// What a box of the picture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Item {
    Node(usize),
    Group(usize),
}

/// A wire of the picture.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wire {
    pub from: Item,
    pub to: Item,
    /// How many connections it stands for.
    pub count: usize,
    /// The points that it goes through, from left to right; it is level in each.
    pub points: Vec<Pos2>,
}

/// Where everything is.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Plan {
    pub boxes: Vec<(Item, Rect)>,
    /// Open groups with their frames.
    pub frames: Vec<(usize, Rect)>,
    pub wires: Vec<Wire>,
    pub size: Vec2,
}

fn group_of(name: &str) -> Option<String> {
    for (group, members) in NAMED {
        if members.contains(&name) {
            return Some(group.to_owned());
        }
    }
    let stem = name.split('_').next().unwrap_or(name);
    PREFIXES.contains(&stem).then(|| stem.to_owned())
}

/// A group's name as people write it: "Layer 1".
pub(super) fn title(group: &str) -> String {
    let stem = group.trim_end_matches(|c: char| c.is_ascii_digit());
    let (mut letters, number) = (stem.chars(), &group[stem.len()..]);
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    let name: String = first.into_iter().chain(letters).collect();
    match number {
        "" => name,
        number => format!("{name} {number}"),
    }
}

impl Net {
    /// Reads the engine's description of its graph.
    pub fn new(chain: &Chain, held: [Held; 2]) -> Net {
        let mut net = Net {
            held,
            ..Net::default()
        };
        let kinds = &chain.description["nodes"];
        for (place, name) in chain.places.iter().enumerate() {
            let group = group_of(name).map(|group| {
                let known = net.groups.iter().position(|other| *other == group);
                known.unwrap_or_else(|| {
                    net.groups.push(group);
                    net.groups.len() - 1
                })
            });
            net.nodes.push(Node {
                name: name.clone(),
                kind: kinds[name]["node"].as_str().unwrap_or_default().to_owned(),
                place,
                group,
            });
        }
        let places: BTreeMap<&str, usize> = (0..)
            .zip(&chain.places)
            .map(|(n, name)| (name.as_str(), n))
            .collect();
        let connections = chain.description["connections"].as_array();
        for connection in connections.into_iter().flatten() {
            let end = |side: usize| {
                let text = connection[side].as_str().unwrap_or_default();
                places
                    .get(text.split(['.', '[']).next().unwrap_or(text))
                    .copied()
            };
            if let (Some(from), Some(to)) = (end(0), end(1)) {
                net.wires.push((from, to));
            }
        }
        net.wires.sort_unstable();
        net.wires.dedup();
        net
    }

    /// How many nodes a group has.
    pub fn count(&self, group: usize) -> usize {
        self.nodes
            .iter()
            .filter(|node| node.group == Some(group))
            .count()
    }

    /// A group's or node's own name.
    pub fn name(&self, item: Item) -> &str {
        match item {
            Item::Node(node) => &self.nodes[node].name,
            Item::Group(group) => &self.groups[group],
        }
    }

    /// The insert that a box is, or of a closed group the one in it that holds something.
    pub fn insert(&self, item: Item) -> Option<&Held> {
        let is = |n: usize, at: usize| self.nodes[n].name == INSERTS[at];
        let in_group = |n: usize, group: usize| self.nodes[n].group == Some(group);
        let has = |at: usize| match item {
            Item::Node(node) => is(node, at),
            Item::Group(group) => {
                let mut nodes = 0..self.nodes.len();
                self.held[at].holds && nodes.any(|n| is(n, at) && in_group(n, group))
            }
        };
        (0..INSERTS.len())
            .find(|at| has(*at))
            .map(|at| &self.held[at])
    }

    /// What a box is called: a node in a group, by what it is there; a group as people write it.
    pub fn short(&self, item: Item) -> String {
        let name = self.name(item);
        let group = match item {
            Item::Node(node) => self.nodes[node].group,
            Item::Group(_) => None,
        };
        let stem = group.map_or("", |group| self.groups[group].as_str());
        // What an insert is in the chain is said by its letter.
        let stem = if self.insert(item).is_some() {
            ""
        } else {
            stem
        };
        let rest = name.strip_prefix(stem).unwrap_or(name);
        let rest = rest.trim_start_matches('_');
        let short = if rest.is_empty() { name } else { rest };
        match item {
            Item::Node(_) => short.replace('_', " "),
            Item::Group(_) => title(name),
        }
    }

    /// What stands below that: a node's kind, how many nodes a group has, what an insert holds; nothing for the ends.
    pub fn below(&self, item: Item) -> String {
        match (self.insert(item), item) {
            (Some(held), _) => held.text.clone(),
            (None, Item::Node(node)) => self.nodes[node].kind.replace('_', " "),
            (None, Item::Group(group)) => format!("{} nodes", self.count(group)),
        }
    }

    /// Lays the graph out with these groups open, so much room between the boxes of a column, and boxes that are at
    /// least as wide as `wide` says.
    pub fn plan(&self, open: &[usize], gap: f32, wide: &dyn Fn(Item) -> f32) -> Plan {
        let size = |item: Item, least: Vec2| vec2(least.x.max(wide(item)), least.y);
        // First within each open group, which gives its size; then the whole.
        let mut inner: BTreeMap<usize, Layers> = BTreeMap::new();
        for group in open {
            let members = (0..self.nodes.len()).filter(|n| self.nodes[*n].group == Some(*group));
            let items: Vec<(Item, Vec2)> = members
                .map(|n| (Item::Node(n), size(Item::Node(n), NODE)))
                .collect();
            let wires = self.wires_among(|node| {
                (self.nodes[node].group == Some(*group)).then_some(Item::Node(node))
            });
            inner.insert(
                *group,
                Layers::new(items, &wires, vec2(CLOSE, INNER_GAP), 8).even(),
            );
        }
        let outer = |node: usize| match self.nodes[node].group {
            Some(group) => Item::Group(group),
            None => Item::Node(node),
        };
        let mut items: Vec<(Item, Vec2)> = Vec::new();
        for (n, node) in self.nodes.iter().enumerate() {
            let item = outer(n);
            if items.iter().any(|(other, _)| *other == item) {
                continue;
            }
            let size = match node.group {
                None if node.kind.is_empty() => size(item, END),
                None => size(item, NODE),
                Some(group) => match inner.get(&group) {
                    Some(layers) => layers.size + 2.0 * INNER + vec2(0.0, TITLE),
                    None => size(item, GROUP),
                },
            };
            items.push((item, size));
        }
        let wires = self.wires_among(|node| Some(outer(node)));
        let whole = Layers::new(items, &wires, vec2(GAP, gap), 9);
        let mut plan = Plan {
            size: whole.size,
            ..Plan::default()
        };
        for (item, rect) in &whole.boxes {
            match item {
                Item::Group(group) if inner.contains_key(group) => {
                    plan.frames.push((*group, *rect));
                    let shift = rect.min.to_vec2() + INNER + vec2(0.0, TITLE);
                    let layers = &inner[group];
                    let boxes = layers.boxes.iter();
                    plan.boxes
                        .extend(boxes.map(|(item, rect)| (*item, rect.translate(shift))));
                    for (from, to, points) in &layers.ways {
                        plan.wires.push(Wire {
                            from: *from,
                            to: *to,
                            count: 1,
                            points: points.iter().map(|point| *point + shift).collect(),
                        });
                    }
                }
                _ => plan.boxes.push((*item, *rect)),
            }
        }
        self.join(&mut plan, &whole);
        plan
    }

    /// Wires between groups end at the very node where one is open.
    fn join(&self, plan: &mut Plan, whole: &Layers) {
        let group = |node: usize| self.nodes[node].group;
        let shown = |node: usize| match group(node) {
            Some(group) if plan.frames.iter().all(|(other, _)| *other != group) => {
                Item::Group(group)
            }
            _ => Item::Node(node),
        };
        let mut counts: BTreeMap<(Item, Item), (usize, (usize, usize))> = BTreeMap::new();
        for (from, to) in &self.wires {
            if group(*from).is_none() || group(*from) != group(*to) {
                let ends = (shown(*from), shown(*to));
                counts.entry(ends).or_insert((0, (*from, *to))).0 += 1;
            }
        }
        let rect = |item: Item| {
            let found = plan.boxes.iter().find(|(other, _)| *other == item);
            found.map_or(Rect::ZERO, |(_, rect)| *rect)
        };
        let mut wires = Vec::new();
        for ((from, to), (count, (first, last))) in counts {
            let outer = |node: usize| group(node).map_or(Item::Node(node), Item::Group);
            let (a, b) = (outer(first), outer(last));
            let way = whole.ways.iter().find(|(f, t, _)| (*f, *t) == (a, b));
            let mut points = way.map_or_else(Vec::new, |(_, _, points)| points.clone());
            // Where there is none, the wire runs against the others: straight, then.
            if points.len() < 4 {
                points = vec![rect(from).right_center(); 2];
                points.extend([rect(to).left_center(); 2]);
            }
            let last = points.len() - 1;
            points[0] = rect(from).right_center();
            points[1].y = points[0].y;
            points[last] = rect(to).left_center();
            points[last - 1].y = points[last].y;
            wires.push(Wire {
                from,
                to,
                count,
                points,
            });
        }
        plan.wires.extend(wires);
    }

    fn wires_among(&self, shown: impl Fn(usize) -> Option<Item>) -> Vec<(Item, Item)> {
        let mut wires: Vec<(Item, Item)> = self
            .wires
            .iter()
            .filter_map(|(from, to)| Some((shown(*from)?, shown(*to)?)))
            .filter(|(from, to)| from != to)
            .collect();
        wires.sort_unstable();
        wires.dedup();
        wires
    }
}

/// Boxes in columns by their depth, after Sugiyama, Tagawa and Toda (1981): wires that pass columns have a way
/// through each.
struct Layers {
    boxes: Vec<(Item, Rect)>,
    ways: Vec<(Item, Item, Vec<Pos2>)>,
    columns: Vec<Rangef>,
    size: Vec2,
}

/// What stands in a column: a box, or a wire that passes.
#[derive(Clone, Copy, PartialEq)]
enum Cell {
    Box(usize),
    Way(usize),
}

impl Layers {
    /// All boxes of a column as wide as its widest. No wire moves: each is level from its box to the column's edge.
    fn even(mut self) -> Layers {
        for (_, rect) in &mut self.boxes {
            let column = self
                .columns
                .iter()
                .find(|column| column.contains(rect.center().x));
            if let Some(column) = column {
                *rect = Rect::from_x_y_ranges(*column, rect.y_range());
            }
        }
        for (_, _, points) in &mut self.ways {
            let last = points.len() - 1;
            points[0] = points[1];
            points[last] = points[last - 1];
        }
        self
    }

    fn new(items: Vec<(Item, Vec2)>, wires: &[(Item, Item)], gap: Vec2, rounds: usize) -> Layers {
        let index = |item: Item| items.iter().position(|(other, _)| *other == item);
        let wires: Vec<(usize, usize)> = wires
            .iter()
            .filter_map(|(from, to)| Some((index(*from)?, index(*to)?)))
            .collect();
        let depths = depths(items.len(), &wires);
        let columns = depths.iter().max().map_or(0, |depth| depth + 1);
        let mut cells: Vec<Vec<Cell>> = vec![Vec::new(); columns];
        for (wire, (from, to)) in wires.iter().enumerate() {
            let between = depths[*from] + 1..depths[*to].max(depths[*from] + 1);
            for column in &mut cells[between] {
                column.push(Cell::Way(wire));
            }
        }
        for (item, depth) in depths.iter().enumerate() {
            cells[*depth].push(Cell::Box(item));
        }
        order(&mut cells, &wires, &depths, rounds);
        let size_of = |cell: &Cell| match cell {
            Cell::Box(item) => items[*item].1,
            Cell::Way(_) => vec2(0.0, WAY),
        };
        let heights = level(&cells, &wires, &depths, &size_of, gap.y);
        let cells_at = || cells.iter().flatten().zip(heights.iter().flatten());
        let top = cells_at().map(|(cell, y)| y - 0.5 * size_of(cell).y);
        let top = top.fold(f32::INFINITY, f32::min);
        let bottom = cells_at().map(|(cell, y)| y + 0.5 * size_of(cell).y);
        let bottom = bottom.fold(f32::NEG_INFINITY, f32::max);
        let mut layers = Layers {
            boxes: Vec::new(),
            ways: Vec::new(),
            columns: Vec::new(),
            size: vec2(0.0, (bottom - top).max(0.0)),
        };
        let mut rects = vec![Rect::ZERO; items.len()];
        let mut passes: Vec<Vec<Pos2>> = vec![Vec::new(); wires.len()];
        let mut x = 0.0;
        for (column, heights) in cells.iter().zip(&heights) {
            let width = column
                .iter()
                .map(|cell| size_of(cell).x)
                .fold(0.0, f32::max);
            for (cell, y) in column.iter().zip(heights) {
                let y = y - top;
                match cell {
                    Cell::Box(item) => {
                        let centre = pos2(x + 0.5 * width, y);
                        rects[*item] = Rect::from_center_size(centre, size_of(cell));
                        layers.boxes.push((items[*item].0, rects[*item]));
                    }
                    Cell::Way(wire) => passes[*wire].extend([pos2(x, y), pos2(x + width, y)]),
                }
            }
            layers.size.x = x + width;
            layers.columns.push(Rangef::new(x, x + width));
            x += width + gap.x;
        }
        for (wire, (from, to)) in wires.iter().enumerate() {
            // Level to the edges of the columns: wires bend only between them.
            let (start, end) = (rects[*from].right_center(), rects[*to].left_center());
            let mut points = vec![start, pos2(layers.columns[depths[*from]].max, start.y)];
            points.append(&mut passes[wire]);
            points.extend([pos2(layers.columns[depths[*to]].min, end.y), end]);
            layers.ways.push((items[*from].0, items[*to].0, points));
        }
        layers
    }
}

/// The middles of all cells: each as near as it can be to the middle of what it is wired to, so that wires run
/// straight.
fn level(
    cells: &[Vec<Cell>],
    wires: &[(usize, usize)],
    depths: &[usize],
    size: &impl Fn(&Cell) -> Vec2,
    gap: f32,
) -> Vec<Vec<f32>> {
    let apart = |a: &Cell, b: &Cell| {
        let between = match (a, b) {
            (Cell::Way(_), Cell::Way(_)) => 0.3 * gap,
            (Cell::Box(_), Cell::Box(_)) => gap,
            _ => 0.6 * gap,
        };
        0.5 * (size(a).y + size(b).y) + between
    };
    // The nearest to what is wished for, in order and apart: between the two that push only down and only up.
    let spread = |column: &[Cell], wished: &[f32]| -> Vec<f32> {
        let (mut down, mut up) = (wished.to_vec(), wished.to_vec());
        for n in 1..column.len() {
            down[n] = down[n].max(down[n - 1] + apart(&column[n - 1], &column[n]));
        }
        for n in (1..column.len()).rev() {
            up[n - 1] = up[n - 1].min(up[n] - apart(&column[n - 1], &column[n]));
        }
        down.iter()
            .zip(&up)
            .map(|(down, up)| 0.5 * (down + up))
            .collect()
    };
    let mut heights: Vec<Vec<f32>> = cells
        .iter()
        .map(|column| spread(column, &vec![0.0; column.len()]))
        .collect();
    for round in 0..ROUNDS {
        let forwards = round % 2 == 0;
        for step in 0..cells.len() {
            let here = if forwards {
                step
            } else {
                cells.len() - 1 - step
            };
            let at = |column: usize, cell: Cell| {
                let place = cells.get(column)?.iter().position(|other| *other == cell)?;
                Some(heights[column][place])
            };
            let wished: Vec<f32> = cells[here]
                .iter()
                .zip(&heights[here])
                .map(|(cell, now)| {
                    let own = (0..wires.len()).filter(|wire| match cell {
                        Cell::Way(other) => other == wire,
                        Cell::Box(item) => wires[*wire].0 == *item || wires[*wire].1 == *item,
                    });
                    let ends = own.flat_map(|wire| {
                        let (from, to) = wires[wire];
                        let cell_in = |column: usize| {
                            if depths[from] == column {
                                Cell::Box(from)
                            } else if depths[to] == column {
                                Cell::Box(to)
                            } else {
                                Cell::Way(wire)
                            }
                        };
                        let before = (here > depths[from]).then(|| at(here - 1, cell_in(here - 1)));
                        let after = (here < depths[to]).then(|| at(here + 1, cell_in(here + 1)));
                        [before.flatten(), after.flatten()]
                    });
                    let ends: Vec<f32> = ends.flatten().collect();
                    let count = ends.len() as f32;
                    if ends.is_empty() {
                        *now
                    } else {
                        ends.iter().sum::<f32>() / count
                    }
                })
                .collect();
            heights[here] = spread(&cells[here], &wished);
        }
    }
    straighten(cells, &mut heights);
    // What feeds only one, and is all that feeds it, stands beside it where there is room.
    for here in (1..cells.len()).rev().map(|column| column - 1) {
        for (place, cell) in cells[here].iter().enumerate() {
            let Cell::Box(item) = cell else { continue };
            let beside = |(from, to): &&(usize, usize)| depths[*to] == depths[*from] + 1;
            let mut fed = wires.iter().filter(beside).filter(|(from, _)| from == item);
            let (Some((_, next)), None) = (fed.next(), fed.next()) else {
                continue;
            };
            if wires
                .iter()
                .filter(beside)
                .filter(|(_, to)| to == next)
                .count()
                > 1
            {
                continue;
            }
            let Some(at) = cells[here + 1]
                .iter()
                .position(|cell| *cell == Cell::Box(*next))
            else {
                continue;
            };
            let y = heights[here + 1][at];
            let column = &cells[here];
            let above = place
                .checked_sub(1)
                .is_none_or(|above| y - heights[here][above] >= apart(&column[above], cell) - 0.5);
            let below = column
                .get(place + 1)
                .is_none_or(|below| heights[here][place + 1] - y >= apart(cell, below) - 0.5);
            if above && below {
                heights[here][place] = y;
            }
        }
    }
    heights
}

/// A wire that passes everything above, or everything below, does so in one line.
fn straighten(cells: &[Vec<Cell>], heights: &mut [Vec<f32>]) {
    let edge = |column: &[Cell], wire: usize| -> Option<bool> {
        let way = Some(&Cell::Way(wire));
        match (column.first() == way, column.last() == way) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    };
    let mut wires: Vec<usize> = Vec::new();
    for cell in cells.iter().flatten() {
        if let Cell::Way(wire) = cell
            && !wires.contains(wire)
        {
            wires.push(*wire);
        }
    }
    for wire in wires {
        let ways: Vec<(usize, usize)> = cells
            .iter()
            .enumerate()
            .filter_map(|(column, cells)| {
                let place = cells.iter().position(|cell| *cell == Cell::Way(wire))?;
                Some((column, place))
            })
            .collect();
        for above in [true, false] {
            let all = ways
                .iter()
                .all(|(column, _)| edge(&cells[*column], wire) == Some(above));
            if all {
                let ys = ways.iter().map(|(column, place)| heights[*column][*place]);
                let y = if above {
                    ys.fold(f32::INFINITY, f32::min)
                } else {
                    ys.fold(f32::NEG_INFINITY, f32::max)
                };
                for (column, place) in &ways {
                    heights[*column][*place] = y;
                }
            }
        }
    }
}

/// The longest way to each from the beginning; then each as near to what it feeds as it can be.
fn depths(count: usize, wires: &[(usize, usize)]) -> Vec<usize> {
    let mut depths = vec![0; count];
    // As many rounds as there are boxes settle every graph without a ring; a ring ends there.
    for _ in 0..count {
        for (from, to) in wires {
            if depths[*to] <= depths[*from] && depths[*from] + 1 < count {
                depths[*to] = depths[*from] + 1;
            }
        }
    }
    for _ in 0..count {
        for item in 0..count {
            let has_source = wires.iter().any(|(_, to)| *to == item);
            let next = wires.iter().filter(|(from, _)| *from == item);
            if let Some(next) = next.map(|(_, to)| depths[*to]).min()
                && !has_source
            {
                depths[item] = depths[item].max(next.saturating_sub(1));
            }
        }
    }
    let least = depths.iter().min().copied().unwrap_or(0);
    depths.iter().map(|depth| depth - least).collect()
}

/// Orders each column by the middle of what its cells are wired to, to and fro; with an odd number of rounds by
/// what they come from at last, else by what they go to.
fn order(cells: &mut [Vec<Cell>], wires: &[(usize, usize)], depths: &[usize], rounds: usize) {
    for round in 0..rounds {
        let forwards = round % 2 == 0;
        for step in 1..cells.len() {
            let here = if forwards {
                step
            } else {
                cells.len() - 1 - step
            };
            let beside = if forwards { here - 1 } else { here + 1 };
            let neighbours = cells[beside].clone();
            let place = |cell: Cell| neighbours.iter().position(|other| *other == cell);
            let count = neighbours.len().max(1) as f32;
            let own = cells[here].len().max(1) as f32;
            let mut keyed: Vec<(f32, Cell)> = cells[here]
                .iter()
                .enumerate()
                .map(|(n, cell)| {
                    let mut found = Vec::new();
                    let mut look = |wire: usize| {
                        let (from, to) = wires[wire];
                        let end = if forwards { from } else { to };
                        let cell = if depths[end] == beside {
                            Cell::Box(end)
                        } else {
                            Cell::Way(wire)
                        };
                        found.extend(place(cell));
                    };
                    match *cell {
                        Cell::Way(wire) => look(wire),
                        Cell::Box(item) => (0..wires.len())
                            .filter(|wire| {
                                let (from, to) = wires[*wire];
                                item == if forwards { to } else { from }
                            })
                            .for_each(look),
                    }
                    let mean = found.iter().sum::<usize>() as f32 / found.len().max(1) as f32;
                    // What is wired to nothing there stands below, as it stood.
                    let key = if found.is_empty() {
                        1.0 + n as f32 / own
                    } else {
                        mean / count
                    };
                    (key, *cell)
                })
                .collect();
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            cells[here] = keyed.into_iter().map(|(_, cell)| cell).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The width of every box.
    const WIDE: fn(Item) -> f32 = |_| 76.0;

    fn net() -> Net {
        let names = [
            "in",
            "input_gain",
            "gate",
            "layer1_a_sine",
            "layer1_a_fade",
            "layer1",
            "space",
            "ears",
            "output_gain",
            "bypass",
            "out",
        ];
        let nodes: serde_json::Map<_, _> = names[1..10]
            .iter()
            .map(|name| ((*name).to_owned(), json!({"node": "gain"})))
            .collect();
        let chain = Chain {
            description: json!({"nodes": nodes, "connections": [
                ["in", "input_gain"], ["input_gain", "gate"], ["gate", "space.speakers"],
                ["gate", "ears"], ["layer1_a_sine", "layer1_a_fade"], ["layer1_a_fade", "layer1"],
                ["layer1", "space.layer1"], ["space[1-2]", "ears"], ["ears", "output_gain"],
                ["output_gain", "bypass.a"], ["in", "bypass.b"], ["bypass", "out"]
            ]}),
            places: names.map(str::to_owned).to_vec(),
        };
        Net::new(&chain, Default::default())
    }

    fn place(plan: &Plan, net: &Net, name: &str) -> Option<Rect> {
        let found = plan.boxes.iter().find(|(item, _)| net.name(*item) == name);
        found.map(|(_, rect)| *rect)
    }

    #[test]
    fn wires_run_from_left_to_right_and_no_box_covers_another() {
        let net = net();
        let all: Vec<usize> = (0..net.groups.len()).collect();
        for open in [vec![], vec![1], all] {
            let plan = net.plan(&open, 20.0, &WIDE);
            for wire in &plan.wires {
                let runs = wire.points.windows(2).all(|pair| pair[0].x <= pair[1].x);
                assert!(runs, "{open:?} {wire:?}");
            }
            for (n, (a, first)) in plan.boxes.iter().enumerate() {
                for (b, second) in &plan.boxes[n + 1..] {
                    assert!(!first.shrink(0.1).intersects(*second), "{a:?} {b:?}");
                }
            }
        }
    }

    #[test]
    fn a_group_opens() {
        let net = net();
        let layer = net.groups.iter().position(|name| name == "layer1").unwrap();
        assert_eq!(net.count(layer), 3);
        let closed = net.plan(&[], 20.0, &WIDE);
        assert!(place(&closed, &net, "layer1_a_sine").is_none());
        let open = net.plan(&[layer], 20.0, &WIDE);
        let frame = open.frames[0].1;
        for name in ["layer1_a_sine", "layer1_a_fade", "layer1"] {
            assert!(
                frame.contains_rect(place(&open, &net, name).unwrap()),
                "{name}"
            );
        }
        let node = |name: &str| Item::Node(net.nodes.iter().position(|n| n.name == name).unwrap());
        let out = open.wires.iter().find(|wire| wire.from == node("layer1"));
        assert!(out.is_some(), "wires end at nodes");
    }
}
