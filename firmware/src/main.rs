//! The firmware of the token: nkey-core's application on a board.

#![no_std]
#![no_main]

mod board;
#[cfg_attr(feature = "rp2040", path = "chip/rp2040.rs")]
#[cfg_attr(feature = "rp2350", path = "chip/rp2350.rs")]
mod chip;
mod endpoint;
mod image;
mod line;
mod stack;
mod storage;
mod usb;
mod watchdog;

use board::Board;
use embassy_executor::{InterruptExecutor, Spawner};
use embassy_futures::select::select;
use embassy_rp::interrupt::{self, InterruptExt, Priority};
use embassy_time::Timer;
use line::Line;
use nkey_core::token::{Action, App, Light, Memory};
use nkey_firmware::boards::{self, Layout};
use nkey_firmware::random::Random;
use nkey_firmware::{SERIAL_LEN, serial};
use static_cell::{ConstStaticCell, StaticCell};
use storage::Storage;

/// The board.
#[cfg(feature = "pico")]
const LAYOUT: Layout = boards::pico::LAYOUT;
#[cfg(feature = "pico-w")]
const LAYOUT: Layout = boards::pico_w::LAYOUT;
#[cfg(feature = "pico2")]
const LAYOUT: Layout = boards::pico2::LAYOUT;

/// How often the button is looked at, in milliseconds.
const LOOK: u64 = 10;
/// How long the last answer may take to leave, in milliseconds.
const LEAVE: u64 = 500;

/// Which board this image is for.
#[used]
#[unsafe(link_section = ".board")]
static BOARD: [u8; boards::MARK_LEN] = LAYOUT.mark();

static MEMORY: ConstStaticCell<Memory> = ConstStaticCell::new(Memory::new());
static SERIAL: StaticCell<[u8; SERIAL_LEN]> = StaticCell::new();
static USB: InterruptExecutor = InterruptExecutor::new();

#[embassy_rp::interrupt]
unsafe fn SWI_IRQ_1() {
    // SAFETY: the one place; the executor was started before its interrupt was enabled.
    unsafe { USB.on_interrupt() }
}

type Token = App<Board<chip::Source>>;

static APP: StaticCell<Token> = StaticCell::new();

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    let app = ready();
    stack::start();
    serve(app).await
}

/// Starts the board. In a frame of its own: what it takes of the stack is free again for the application.
#[inline(never)]
fn ready() -> &'static mut Token {
    let peripherals = embassy_rp::init(embassy_rp::config::Config::default());
    let panicked = watchdog::start();
    let mut storage = Storage::new(peripherals.FLASH);
    let id = chip::id(&mut storage);
    let serial = core::str::from_utf8(SERIAL.init(serial(id))).unwrap_or_default();

    interrupt::SWI_IRQ_1.set_priority(Priority::P2);
    let spawner = USB.start(interrupt::SWI_IRQ_1);
    if let Ok(task) = usb::run(peripherals.USB, serial) {
        spawner.spawn(task);
    }

    #[cfg(feature = "rp2040")]
    let (noise, button) = (chip::noise(), board::Button::Bootsel(peripherals.BOOTSEL));
    #[cfg(feature = "rp2350")]
    let (noise, button) = (chip::noise(peripherals.TRNG), board::pin());
    let board = Board {
        storage,
        random: Random::new(noise, &id),
        button,
        led: board::led(),
        light: Light::Off,
        serial,
        hash: image::hash(),
        panicked,
    };
    APP.init_with(|| App::new(board, MEMORY.take()))
}

/// Carries bytes to and from the application, for ever.
async fn serve(app: &'static mut Token) {
    let mut line = Line::new();
    loop {
        watchdog::feed();
        let ended = line.ended();
        if ended {
            app.disconnect();
        }
        send(app, &mut line);
        let taken = app.receive(line.rest());
        line.took(taken);
        app.poll();
        // A request was carried out, or will never be.
        if ended || !app.output().is_empty() {
            stack::wipe();
        }
        send(app, &mut line);
        app.board().blink();
        if app.action() == Some(Action::Bootloader) {
            bootloader().await;
        }
        if taken == 0 {
            select(line::NEWS.wait(), Timer::after_millis(LOOK)).await;
        }
    }
}

fn send(app: &mut Token, line: &mut Line) {
    if !app.output().is_empty() {
        let sent = line.give(app.output());
        app.sent(sent);
    }
}

/// Restarts in the bootloader, when the answer has left.
async fn bootloader() {
    for _ in 0..LEAVE / LOOK {
        Timer::after_millis(LOOK).await;
        if line::OUT.is_empty() {
            break;
        }
    }
    Timer::after_millis(LOOK * 5).await;
    watchdog::leave();
    embassy_rp::rom_data::reset_to_usb_boot(1 << LAYOUT.led, 0);
}
