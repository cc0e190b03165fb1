//! USB: a serial port (CDC-ACM).

use crate::endpoint;
use crate::line::{self, PACKET};
use core::future::poll_fn;
use core::pin::pin;
use embassy_futures::join::join4;
use embassy_rp::peripherals::USB;
use embassy_rp::usb::{Driver, InterruptHandler};
use embassy_rp::{Peri, bind_interrupts};
use embassy_usb::class::cdc_acm::{CdcAcmClass, ControlChanged, Receiver, Sender, State};
use embassy_usb::driver::EndpointError;
use embassy_usb::{Builder, Config, Handler};
use nkey_firmware::{PRODUCT, USB_ID};
use static_cell::{ConstStaticCell, StaticCell};
use zeroize::Zeroize;

bind_interrupts!(struct Irqs {
    USBCTRL_IRQ => InterruptHandler<USB>;
});

type Bus = Driver<'static, USB>;

static DESCRIPTOR: ConstStaticCell<[u8; 128]> = ConstStaticCell::new([0; 128]);
static BOS: ConstStaticCell<[u8; 32]> = ConstStaticCell::new([0; 32]);
static CONTROL: ConstStaticCell<[u8; 64]> = ConstStaticCell::new([0; 64]);
static STATE: StaticCell<State<'static>> = StaticCell::new();
static WATCH: ConstStaticCell<Watch> = ConstStaticCell::new(Watch);

/// The whole device, in the executor of an interrupt: it answers the host while the application works.
#[embassy_executor::task]
pub async fn run(usb: Peri<'static, USB>, serial: &'static str) {
    endpoint::start();
    let mut config = Config::new(USB_ID.0, USB_ID.1);
    config.manufacturer = Some("nkey-agent");
    config.product = Some(PRODUCT);
    config.serial_number = Some(serial);
    let driver = Driver::new(usb, Irqs);
    let mut builder = Builder::new(
        driver,
        config,
        DESCRIPTOR.take(),
        BOS.take(),
        &mut [],
        CONTROL.take(),
    );
    builder.handler(WATCH.take());
    let class = CdcAcmClass::new(&mut builder, STATE.init(State::new()), PACKET as u16);
    let mut device = builder.build();
    let (sender, receiver, control) = class.split_with_control();
    join4(
        device.run(),
        receive(receiver),
        send(sender),
        lines(control),
    )
    .await;
}

/// Sees that the bus is suspended or reset.
struct Watch;

impl Handler for Watch {
    fn reset(&mut self) {
        close();
    }

    fn suspended(&mut self, suspended: bool) {
        if suspended {
            close();
        }
    }

    fn configured(&mut self, configured: bool) {
        if !configured {
            close();
        }
    }
}

async fn receive(mut receiver: Receiver<'static, Bus>) {
    loop {
        receiver.wait_connection().await;
        let mut bytes = [0; PACKET];
        while let Ok(len) = read(&mut receiver, &mut bytes).await {
            let connection = line::connection();
            if len > 0 {
                line::put(connection, &bytes[..len]).await;
            }
            bytes.zeroize();
        }
        close();
    }
}

/// Reads a packet. It is wiped in the controller's memory before the next one may come.
async fn read(
    receiver: &mut Receiver<'static, Bus>,
    bytes: &mut [u8; PACKET],
) -> Result<usize, EndpointError> {
    // What is left of it there, unless it came between the two looks.
    let mut left = [0; PACKET];
    let mut copied = false;
    let len = {
        let mut packet = pin!(receiver.read_packet(&mut left));
        poll_fn(|context| {
            if !copied && endpoint::has_packet() {
                endpoint::take(bytes);
                copied = true;
            }
            packet.as_mut().poll(context)
        })
        .await?
    };
    if !copied {
        bytes.copy_from_slice(&left);
    }
    left.zeroize();
    Ok(len)
}

/// The connection ends, and nothing of it is left.
fn close() {
    line::close();
    endpoint::wipe();
}

async fn send(mut sender: Sender<'static, Bus>) {
    // One less than a full packet: a short one ends a transfer without an empty one after it.
    let mut bytes = [0; PACKET - 1];
    loop {
        let len = line::OUT.read(&mut bytes).await;
        sender.wait_connection().await;
        // An error is a bus that is gone, and the connection with it.
        let _ = sender.write_packet(&bytes[..len]).await;
        line::NEWS.signal(());
    }
}

/// Sees that the host closes the port.
async fn lines(control: ControlChanged<'static>) {
    let mut open = false;
    loop {
        control.control_changed().await;
        if core::mem::replace(&mut open, control.dtr()) && !open {
            close();
        }
    }
}
