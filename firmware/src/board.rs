//! The board that the application runs on.

use crate::storage::Storage;
use crate::{LAYOUT, watchdog};
use embassy_rp::gpio::{AnyPin, Level, Output};
use embassy_time::Instant;
use nkey_core::token::{self, Info, Light, RandomFailed};
use nkey_firmware::random::{Noise, Random};

/// Half a period of the slow and of the fast light, in milliseconds.
const SLOW: u64 = 500;
const FAST: u64 = 100;

/// The button.
pub enum Button {
    /// BOOTSEL.
    #[cfg(feature = "rp2040")]
    Bootsel(embassy_rp::Peri<'static, embassy_rp::peripherals::BOOTSEL>),
    /// To ground.
    #[cfg(feature = "rp2350")]
    Pin(embassy_rp::gpio::Input<'static>),
}

/// Everything on it but USB.
pub struct Board<N> {
    /// The end of flash.
    pub storage: Storage,
    /// Random bytes.
    pub random: Random<N>,
    /// The button.
    pub button: Button,
    /// The light.
    pub led: Output<'static>,
    /// What it shows.
    pub light: Light,
    /// The serial number.
    pub serial: &'static str,
    /// Of this firmware.
    pub hash: [u8; 32],
    /// The last run ended in a panic.
    pub panicked: bool,
}

/// The light, off.
pub fn led() -> Output<'static> {
    // SAFETY: only this takes the pin.
    Output::new(unsafe { AnyPin::steal(LAYOUT.led) }, Level::Low)
}

/// The button, released while its pin is high.
#[cfg(feature = "rp2350")]
pub fn pin() -> Button {
    use embassy_rp::gpio::{Input, Pull};
    let nkey_firmware::boards::Button::Pin(pin) = LAYOUT.button else {
        panic!("the button of this board is not at a pin");
    };
    // SAFETY: only this takes the pin.
    Button::Pin(Input::new(unsafe { AnyPin::steal(pin) }, Pull::Up))
}

impl<N> Board<N> {
    /// Lets the light blink; to be called every few milliseconds.
    pub fn blink(&mut self) {
        let now = Instant::now().as_millis();
        let on = match self.light {
            Light::Off => false,
            Light::Slow => now / SLOW % 2 == 0,
            Light::Fast => now / FAST % 2 == 0,
        };
        self.led.set_level(Level::from(on));
    }
}

impl<N: Noise> token::Board for Board<N> {
    type Flash = Storage;

    fn flash(&mut self) -> &mut Storage {
        &mut self.storage
    }

    fn random(&mut self, bytes: &mut [u8]) -> Result<(), RandomFailed> {
        self.random.fill(bytes).map_err(|_| RandomFailed)
    }

    fn pressed(&mut self) -> bool {
        match &mut self.button {
            #[cfg(feature = "rp2040")]
            Button::Bootsel(bootsel) => embassy_rp::bootsel::is_bootsel_pressed(bootsel.reborrow()),
            #[cfg(feature = "rp2350")]
            Button::Pin(pin) => pin.is_low(),
        }
    }

    fn light(&mut self, light: Light) {
        self.light = light;
        self.blink();
    }

    fn ticks(&mut self) -> u64 {
        Instant::now().as_millis()
    }

    fn info(&self) -> Info<'_> {
        Info {
            firmware: nkey_firmware::VERSION,
            hash: self.hash,
            serial: self.serial,
            chip: LAYOUT.chip,
            is_virtual: false,
            panicked: self.panicked,
        }
    }

    fn working(&mut self) {
        watchdog::feed();
    }
}
