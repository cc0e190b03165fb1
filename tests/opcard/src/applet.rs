//! The applet on a platform in memory: what Nitrokey's firmware gives it.

use crate::orders::Orders;
use std::sync::mpsc::{Sender, channel};
use trussed::backend::{Backend as _, BackendId};
use trussed::pipe::{ServiceEndpoint, TrussedChannel};
use trussed::platform;
use trussed::serde_extensions::{ExtensionDispatch, ExtensionId, ExtensionImpl};
use trussed::service::{Service, ServiceResources};
use trussed::types::{Context, CoreContext};
use trussed::virt::{StoreConfig, UptimeOffset, with_platform};
use trussed::{ClientImplementation, Platform};
use trussed_auth::AuthExtension;
use trussed_auth_backend::{AuthBackend, AuthContext, FilesystemLayout};
use trussed_chunked::ChunkedExtension;
use trussed_core::Error;
use trussed_core::api::{Reply, Request, reply, request};
use trussed_core::types::consent::Level;
use trussed_core::types::{Location, Message};
use trussed_staging::{StagingBackend, StagingContext};
use trussed_wrap_key_to_file::WrapKeyToFileExtension;

/// Runs `work` with a card.
pub fn run(
    options: opcard::Options,
    orders: Orders,
    work: impl FnOnce(opcard::Card<ClientImplementation<'_, Syscall, Dispatch>>),
) {
    with_platform(StoreConfig::ram(), |mut platform| {
        let interface = platform.user_interface();
        let clock = interface.uptime_offset();
        interface.set_inner(Box::new(Button { orders, clock }));
        let channel_to_service = TrussedChannel::new();
        let (requester, responder) = channel_to_service.split().expect("a channel");
        let context = CoreContext::new("opcard".try_into().expect("a path"));
        let mut endpoints = [ServiceEndpoint::new(responder, context, BACKENDS)];
        let mut service = Service::with_dispatch(platform, Dispatch::default());
        // Two cards must not make the same keys.
        let mut seed = [0; 32];
        seed[..4].copy_from_slice(&options.serial);
        service.set_seed_if_uninitialized(&seed);
        let (sender, calls) = channel();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                while calls.recv().is_ok() {
                    service.process(&mut endpoints);
                }
            });
            let client = ClientImplementation::new(requester, Syscall(sender), None);
            work(opcard::Card::new(client, options));
        });
    });
}

/// Wakes the service.
pub struct Syscall(Sender<()>);

impl platform::Syscall for Syscall {
    fn syscall(&mut self) {
        self.0.send(()).expect("the service");
    }
}

/// Touched at once, or not at all: then time passes quickly.
struct Button {
    orders: Orders,
    clock: UptimeOffset,
}

impl platform::UserInterface for Button {
    fn check_user_presence(&mut self) -> Level {
        if self.orders.word() != "untouched" {
            return Level::Normal;
        }
        self.clock.add(std::time::Duration::from_secs(60));
        Level::None
    }
}

const BACKENDS: &[BackendId<Backend>] = &[
    BackendId::Custom(Backend::Staging),
    BackendId::Custom(Backend::Auth),
    BackendId::Core,
];

#[derive(Clone, Copy)]
pub enum Backend {
    Auth,
    Staging,
}

#[derive(Clone, Copy)]
pub enum Extension {
    Auth = 0,
    WrapKeyToFile = 1,
    Chunked = 2,
}

impl From<Extension> for u8 {
    fn from(extension: Extension) -> u8 {
        extension as u8
    }
}

impl TryFrom<u8> for Extension {
    type Error = Error;

    fn try_from(id: u8) -> Result<Extension, Error> {
        match id {
            0 => Ok(Extension::Auth),
            1 => Ok(Extension::WrapKeyToFile),
            2 => Ok(Extension::Chunked),
            _ => Err(Error::InternalError),
        }
    }
}

impl ExtensionId<AuthExtension> for Dispatch {
    type Id = Extension;
    const ID: Extension = Extension::Auth;
}

impl ExtensionId<WrapKeyToFileExtension> for Dispatch {
    type Id = Extension;
    const ID: Extension = Extension::WrapKeyToFile;
}

impl ExtensionId<ChunkedExtension> for Dispatch {
    type Id = Extension;
    const ID: Extension = Extension::Chunked;
}

/// The backends beside the core.
pub struct Dispatch {
    auth: AuthBackend,
    staging: StagingBackend,
}

impl Default for Dispatch {
    fn default() -> Dispatch {
        let secret = Message::try_from(&b"test"[..]).expect("a short key");
        let secret = secret[..].try_into().expect("a short key");
        Dispatch {
            auth: AuthBackend::with_hw_key(Location::Internal, secret, FilesystemLayout::V0),
            staging: StagingBackend::new(),
        }
    }
}

#[derive(Default)]
pub struct Contexts {
    auth: AuthContext,
    staging: StagingContext,
}

impl ExtensionDispatch for Dispatch {
    type BackendId = Backend;
    type Context = Contexts;
    type ExtensionId = Extension;

    fn core_request<P: Platform>(
        &mut self,
        backend: &Backend,
        context: &mut Context<Contexts>,
        request: &Request,
        resources: &mut ServiceResources<P>,
    ) -> Result<Reply, Error> {
        let (core, backends) = (&mut context.core, &mut context.backends);
        match backend {
            Backend::Auth => self
                .auth
                .request(core, &mut backends.auth, request, resources),
            Backend::Staging => {
                self.staging
                    .request(core, &mut backends.staging, request, resources)
            }
        }
    }

    fn extension_request<P: Platform>(
        &mut self,
        backend: &Backend,
        extension: &Extension,
        context: &mut Context<Contexts>,
        request: &request::SerdeExtension,
        resources: &mut ServiceResources<P>,
    ) -> Result<reply::SerdeExtension, Error> {
        let (core, backends) = (&mut context.core, &mut context.backends);
        let staging = &mut backends.staging;
        match (backend, extension) {
            (Backend::Auth, Extension::Auth) => {
                self.auth
                    .extension_request_serialized(core, &mut backends.auth, request, resources)
            }
            (Backend::Staging, Extension::WrapKeyToFile) => {
                ExtensionImpl::<WrapKeyToFileExtension>::extension_request_serialized(
                    &mut self.staging,
                    core,
                    staging,
                    request,
                    resources,
                )
            }
            (Backend::Staging, Extension::Chunked) => {
                ExtensionImpl::<ChunkedExtension>::extension_request_serialized(
                    &mut self.staging,
                    core,
                    staging,
                    request,
                    resources,
                )
            }
            _ => Err(Error::RequestNotAvailable),
        }
    }
}
