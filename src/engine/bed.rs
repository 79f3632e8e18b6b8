//! The noise bed: which colour, through which rendering, at which position.

use super::chain::BedNodes;
use super::clock::{Anchor, Hands};
use super::controls as id;
use super::pair::{Pair, Turn};
use super::{Engine, SWITCH_TIME};
use crate::graph::Activity;
use crate::node::{gain, noise};

/// What the noise bed is set up for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BedSetup {
    kind: usize,
    seed: f64,
    width: f64,
}

/// The noise bed.
#[derive(Debug, Clone, Copy)]
pub struct Bed {
    pub pair: Pair<BedSetup>,
    pub hands: [Hands; 2],
    pub jump: bool,
}

impl Bed {
    /// Silent, at position 0.
    pub fn new() -> Bed {
        Bed {
            pair: Pair::new(),
            hands: [Hands::default(); 2],
            jump: false,
        }
    }

    /// Whether it sounds, if only its fade.
    pub fn sounds(&self) -> bool {
        self.pair.sounds_at_all()
    }

    /// Moves the position on by frames.
    pub fn advance(&mut self, frames: u64) {
        for hands in &mut self.hands {
            hands.position = hands.position.wrapping_add(i128::from(frames));
        }
    }
}

impl Engine {
    fn bed_setup(&self) -> Option<BedSetup> {
        let kind = self.choice(id::NOISE_KIND);
        (kind != id::NOISE_OFF).then(|| BedSetup {
            kind,
            seed: self.get(id::SEED),
            width: self.settled(id::NOISE_WIDTH),
        })
    }

    /// Turns the bed towards what its controls ask for.
    pub(super) fn turn_bed(&mut self, anchor: &Anchor) {
        let setup = self.bed_setup();
        let bed = &self.bed;
        if self.primed && self.now > 0 {
            return;
        }
        let here = bed.hands[bed.pair.current()];
        let target = if bed.jump {
            Hands {
                position: i128::from(anchor.song_frames),
                ..here
            }
        } else {
            here
        };
        let heard = target.differs(&here) && self.now > 0;
        let sounds = bed.pair.sounds(bed.pair.current());
        let fade = self.frames(SWITCH_TIME);
        let turn = self.bed.pair.turn(setup, heard, self.now, fade);
        let nodes = self.chain.bed.0;
        if let Turn::Out(rendering) = turn {
            return self.fade_out(nodes[rendering].fade);
        }
        if turn == Turn::Stay && heard && sounds {
            return;
        }
        self.bed.jump = false;
        self.bed.hands[self.bed.pair.current()] = target;
        match turn {
            Turn::Stay | Turn::Out(_) => {}
            Turn::Back(rendering) => self.fade_in(nodes[rendering].fade, self.bed_db()),
            Turn::Start(rendering) => self.start_bed(rendering),
            Turn::Swap(from, to) => {
                self.fade_out(nodes[from].fade);
                self.start_bed(to);
            }
        }
    }

    fn bed_db(&self) -> f64 {
        match self
            .bed
            .pair
            .setup(self.bed.pair.current())
            .map(|setup| setup.kind)
        {
            Some(id::NOISE_PINK) => self.noise_levels.pink,
            Some(id::NOISE_BROWN) => self.noise_levels.brown,
            _ => 0.0,
        }
    }

    fn start_bed(&mut self, rendering: usize) {
        let Some(setup) = self.bed.pair.setup(rendering) else {
            return;
        };
        let nodes = self.chain.bed.0[rendering];
        self.graph
            .set_param(nodes.noise, noise::param::SEED, setup.seed);
        self.graph
            .set_param(nodes.noise, noise::param::WIDTH, setup.width);
        self.run_bed(&nodes, Some(&setup));
        let position = self.bed.hands[rendering].position;
        self.prime(
            nodes.noise,
            &[nodes.noise, nodes.pink, nodes.brown],
            position,
        );
        self.set_gain(nodes.fade, gain::SILENCE, 0.0, false);
        self.fade_in(nodes.fade, self.bed_db());
    }

    /// Lets the nodes of a rendering run that its colour needs: none where it does not sound.
    fn run_bed(&mut self, nodes: &BedNodes, setup: Option<&BedSetup>) {
        let coloured = |kind| match setup {
            Some(setup) if setup.kind == kind => Activity::Run,
            Some(_) => Activity::Pass,
            None => Activity::Silent,
        };
        let run = if setup.is_some() {
            Activity::Run
        } else {
            Activity::Silent
        };
        for (node, activity) in [
            (nodes.noise, run),
            (nodes.pink, coloured(id::NOISE_PINK)),
            (nodes.brown, coloured(id::NOISE_BROWN)),
            (nodes.fade, run),
        ] {
            self.graph.set_activity(node, activity);
        }
    }

    /// Sets the position of the bed's renderings for the piece, and what of its nodes runs.
    pub(super) fn drive_bed(&mut self) {
        for (rendering, nodes) in self.chain.bed.0.into_iter().enumerate() {
            let (setup, new) = self.bed.pair.tell(rendering);
            let position = self.bed.hands[rendering].position as u64;
            if new {
                self.run_bed(&nodes, setup.as_ref());
            }
            if setup.is_some() {
                self.graph.set_phase(nodes.noise, 0, position, 1, 0);
            }
        }
        self.run_level(self.chain.bed.1, id::NOISE_LEVEL, self.bed.sounds());
    }
}
