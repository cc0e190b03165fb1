//! The memory of the USB controller, where packets from the host stay until others overwrite them.

use crate::line::PACKET;
use embassy_rp::pac;

/// Bytes before the first buffer: requests and registers.
const REGISTERS: usize = 0x180;
const LEN: usize = 4096;

/// Wipes all of it, while nobody uses it: a reset leaves it as it was.
pub fn start() {
    let ram = pac::USB_DPRAM.as_ptr().cast::<u32>();
    for at in 0..LEN / 4 {
        // SAFETY: within the controller's memory.
        unsafe { ram.add(at).write_volatile(0) }
    }
}

/// The one endpoint that bytes come from, and where its buffer lies.
fn endpoint() -> Option<(usize, *mut u32)> {
    let ram = pac::USB_DPRAM;
    (0..15).find_map(|number| {
        let control = ram.ep_out_control(number).read();
        let at = usize::from(control.buffer_address()) & !(PACKET - 1);
        let is_buffer = (REGISTERS..=LEN - PACKET).contains(&at);
        // SAFETY: within the controller's memory.
        let buffer = unsafe { ram.as_ptr().cast::<u8>().add(at) };
        (control.enable() && is_buffer).then_some((number + 1, buffer.cast()))
    })
}

/// Whether a packet came that was not read: until it is, the buffer is ours.
pub fn has_packet() -> bool {
    endpoint().is_some_and(|(number, _)| {
        let control = pac::USB_DPRAM.ep_out_buffer_control(number).read();
        !control.available(0)
    })
}

/// Moves what is in the buffer.
pub fn take(bytes: &mut [u8; PACKET]) {
    let Some((_, buffer)) = endpoint() else {
        return;
    };
    for (at, word) in bytes.chunks_exact_mut(4).enumerate() {
        // SAFETY: a buffer has that many words; each access is one to the controller's memory.
        unsafe {
            let place = buffer.add(at);
            word.copy_from_slice(&place.read_volatile().to_le_bytes());
            place.write_volatile(0);
        }
    }
}

/// Wipes the buffer. A packet that just comes belongs to nobody.
pub fn wipe() {
    take(&mut [0; PACKET]);
}
