//! Two renderings of one generator: one sounds, the other takes over when something jumps, and both fade.

/// Which of its two renderings a generator sounds through, and how each is set up (`C`).
#[derive(Debug, Clone, Copy)]
pub struct Pair<C> {
    current: usize,
    setups: [Option<C>; 2],
    /// Whether the current rendering is in or on its way in.
    on: bool,
    /// When each has faded out; `u64::MAX` while it is on.
    ends: [u64; 2],
    sounding: [bool; 2],
    /// What the nodes of each were told to do last, if it is known: to sound a setup, or nothing.
    told: [Option<Option<C>>; 2],
}

/// What has to be done with the renderings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Nothing, or nothing yet.
    Stay,
    /// This one fades out.
    Out(usize),
    /// This one, which was fading out, fades in again.
    Back(usize),
    /// This one starts from silence, in its new setup.
    Start(usize),
    /// The second takes over in its new setup; the first fades out.
    Swap(usize, usize),
}

impl<C: Copy + PartialEq> Pair<C> {
    /// Silent.
    pub fn new() -> Pair<C> {
        Pair {
            current: 0,
            setups: [None; 2],
            on: false,
            ends: [0; 2],
            sounding: [false; 2],
            told: [None; 2],
        }
    }

    /// The rendering that stays.
    pub fn current(&self) -> usize {
        self.current
    }

    /// Whether the generator is on.
    pub fn is_on(&self) -> bool {
        self.on
    }

    /// Whether a rendering sounds, if only its fade.
    pub fn sounds(&self, rendering: usize) -> bool {
        self.sounding[rendering]
    }

    /// Whether any does.
    pub fn sounds_at_all(&self) -> bool {
        self.sounding != [false; 2]
    }

    /// The setup of a rendering.
    pub fn setup(&self, rendering: usize) -> Option<C> {
        self.setups[rendering]
    }

    /// What a rendering sounds, and whether its nodes have to be told: it is not what they were told last.
    pub fn tell(&mut self, rendering: usize) -> (Option<C>, bool) {
        // Every piece asks, of what is off mostly: setups are large, and copied only where they are new.
        let setup = match self.sounding[rendering] {
            true => self.setups[rendering],
            false => None,
        };
        let new = self.told[rendering] != Some(setup);
        if new {
            self.told[rendering] = Some(setup);
        }
        (setup, new)
    }

    /// Silences renderings whose fade has ended.
    pub fn expire(&mut self, now: u64) {
        for rendering in [0, 1] {
            self.sounding[rendering] &= self.ends[rendering] > now;
        }
    }

    /// Goes towards the setup that is wanted (`None`: silence), with fades of so many frames. `jump`: even
    /// the same setup has to start anew. A jump that comes while both renderings sound waits:
    /// [`Turn::Stay`].
    pub fn turn(&mut self, wanted: Option<C>, jump: bool, now: u64, fade: u64) -> Turn {
        let current = self.current;
        let Some(setup) = wanted else {
            if !self.on {
                return Turn::Stay;
            }
            self.on = false;
            self.ends[current] = now + fade;
            return Turn::Out(current);
        };
        let same = self.setups[current] == Some(setup) && !jump;
        if same && self.on {
            return Turn::Stay;
        }
        if !self.sounding[current] {
            self.start(current, setup);
            return Turn::Start(current);
        }
        if same {
            self.start(current, setup);
            return Turn::Back(current);
        }
        let other = 1 - current;
        if self.sounding[other] {
            return Turn::Stay;
        }
        let was_on = self.on;
        self.current = other;
        self.start(other, setup);
        if was_on {
            self.ends[current] = now + fade;
            Turn::Swap(current, other)
        } else {
            // The one before is on its way out already, and goes on so.
            Turn::Start(other)
        }
    }

    fn start(&mut self, rendering: usize, setup: C) {
        self.setups[rendering] = Some(setup);
        self.on = true;
        self.ends[rendering] = u64::MAX;
        self.sounding[rendering] = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_swaps_and_a_second_one_waits() {
        let mut pair = Pair::new();
        assert_eq!(pair.turn(None, false, 0, 10), Turn::Stay);
        assert_eq!(pair.turn(Some('a'), false, 0, 10), Turn::Start(0));
        assert_eq!(pair.turn(Some('a'), false, 5, 10), Turn::Stay);
        assert_eq!(pair.turn(Some('b'), false, 20, 10), Turn::Swap(0, 1));
        assert_eq!(
            pair.turn(Some('c'), false, 25, 10),
            Turn::Stay,
            "the fade is not over"
        );
        pair.expire(30);
        assert_eq!(pair.turn(Some('c'), false, 30, 10), Turn::Swap(1, 0));
        pair.expire(40);
        assert_eq!(
            pair.turn(Some('c'), true, 40, 10),
            Turn::Swap(0, 1),
            "a jump starts anew"
        );
    }

    #[test]
    fn nodes_are_told_what_is_new_to_them() {
        let mut pair = Pair::new();
        // What they do at first nobody knows.
        assert_eq!([pair.tell(0), pair.tell(1)], [(None, true); 2]);
        assert_eq!(pair.tell(0), (None, false));
        pair.turn(Some('a'), false, 0, 10);
        assert_eq!(pair.tell(0), (Some('a'), true));
        assert_eq!(pair.tell(0), (Some('a'), false));
        pair.turn(Some('b'), false, 5, 10);
        assert_eq!(pair.tell(1), (Some('b'), true));
        // Its fade sounds as it did.
        assert_eq!(pair.tell(0), (Some('a'), false));
        pair.expire(15);
        assert_eq!(pair.tell(0), (None, true));
    }

    #[test]
    fn off_and_on_again_goes_back() {
        let mut pair = Pair::new();
        pair.turn(Some(1), false, 0, 10);
        assert_eq!(pair.turn(None, false, 5, 10), Turn::Out(0));
        assert!(pair.sounds(0) && !pair.is_on());
        assert_eq!(pair.turn(Some(1), false, 8, 10), Turn::Back(0));
        assert_eq!(pair.turn(None, false, 20, 10), Turn::Out(0));
        let mut other = pair;
        assert_eq!(other.turn(Some(2), false, 25, 10), Turn::Start(1));
        other.expire(30);
        assert!(!other.sounds(0) && other.sounds(1));
        pair.expire(30);
        assert!(!pair.sounds_at_all());
        assert_eq!(pair.turn(Some(1), false, 31, 10), Turn::Start(0));
    }
}
