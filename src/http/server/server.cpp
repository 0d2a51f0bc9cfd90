#include <exception>
#include <mutex>
#include <utility>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>
#include <sys/socket.h>

#include <quarq/errors.hpp>
#include <quarq/http/server.hpp>

#include "base/log.hpp"
#include "base/unique_fd.hpp"
#include "http/net/stream.hpp"
#include "http/server/files.hpp"
#include "http/server/service.hpp"

namespace quarq::http {

namespace asio = boost::asio;
using asio::ip::tcp;

/// The server that a program holds; run() makes a service of it, on each loop that awaits it.
class server_impl {
 public:
  explicit server_impl(server_options options) { setup->options = std::move(options); }

  std::shared_ptr<server_setup> setup = std::make_shared<server_setup>();
  bool has_authentication = false;
  std::string mistake;  // the first one, for run() to throw

  std::uint16_t listen();
  awaitable<void> run(std::shared_ptr<server_impl> self);
  void stop();
  void begin_several();

 private:
  struct running_loop {
    asio::any_io_executor loop;
    std::weak_ptr<service> of;
  };

  // A loop has the port, or another socket that shares it.
  class port_use {
   public:
    explicit port_use(server_impl& of) : of_(of), socket(of.take_port()) {}
    ~port_use() {
      const std::lock_guard lock(of_.mutex_);
      --of_.in_use_;
    }
    port_use(const port_use&) = delete;
    port_use& operator=(const port_use&) = delete;

   private:
    server_impl& of_;

   public:
    base::unique_fd socket;
  };

  void check() const;
  base::unique_fd open_port(std::uint16_t number);
  base::unique_fd take_port();
  void add_running(const asio::any_io_executor& loop, const std::shared_ptr<service>& now);
  void remove_running(const std::shared_ptr<service>& now);

  std::mutex mutex_;
  base::unique_fd port_;  // until a loop has it
  std::size_t in_use_ = 0;
  std::uint16_t number_ = 0;
  std::vector<running_loop> running_;
  int stops_before_ = 0;      // asked for while nothing ran
  bool are_several_ = false;  // whoever begins to run hears of all stops
};

namespace {

asio::ip::address address_of(const std::string& text) {
  boost::system::error_code ec;
  auto address = asio::ip::make_address(text == "localhost" ? "127.0.0.1" : text, ec);
  if (ec) throw usage_error(fmt::format("http::server: {} is not an IP address", text));
  return address;
}

void set_option(int descriptor, int level, int name) {
  const int on = 1;
  if (::setsockopt(descriptor, level, name, &on, sizeof on) != 0) {
    throw boost::system::system_error(errno, boost::system::system_category(), "setsockopt");
  }
}

}  // namespace

void server_impl::check() const {
  const auto& o = setup->options;
  if (!mistake.empty()) throw usage_error(mistake);
  if (!address_of(o.address).is_loopback() && !has_authentication && !o.public_without_auth) {
    throw usage_error(
        fmt::format("http::server: {} can be reached from other hosts, and nobody has to prove who they "
                    "are: add an authentication, or set public_without_auth",
                    o.address));
  }
}

base::unique_fd server_impl::open_port(std::uint16_t number) {
  const auto& o = setup->options;
  const tcp::endpoint where(address_of(o.address), number);
  base::unique_fd made(::socket(where.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto fail = [&](const char* what) {
    throw boost::system::system_error(errno, boost::system::system_category(),
                                      fmt::format("{} {}", what, text_of(where)));
  };
  if (made.get() < 0) fail("socket");
  set_option(made.get(), SOL_SOCKET, SO_REUSEADDR);
  if (o.reuse_port) set_option(made.get(), SOL_SOCKET, SO_REUSEPORT);
  if (::bind(made.get(), where.data(), static_cast<socklen_t>(where.size())) != 0) fail("can't bind");
  constexpr int backlog = 1024;
  if (::listen(made.get(), backlog) != 0) fail("can't listen on");
  tcp::endpoint bound;
  auto size = static_cast<socklen_t>(bound.capacity());
  if (::getsockname(made.get(), bound.data(), &size) != 0) fail("getsockname");
  number_ = bound.port();
  return made;
}

// Without a loop, so that a program knows the port before it runs.
std::uint16_t server_impl::listen() {
  const std::lock_guard lock(mutex_);
  if (port_.get() >= 0 || in_use_ > 0) return number_;
  check();
  const auto& o = setup->options;
  if (!o.certificate_file.empty()) {
    tls_settings tls;
    tls.verify = false;
    tls.certificate_file = o.certificate_file;
    tls.key_file = o.key_file;
    setup->tls = std::make_shared<tls_context>(tls_role::server, tls);
  }
  port_ = open_port(o.port);
  return number_;
}

base::unique_fd server_impl::take_port() {
  const std::lock_guard lock(mutex_);
  if (port_.get() < 0 && !setup->options.reuse_port)
    throw usage_error("http::server: it runs already; with reuse_port several loops can run it");
  auto taken = port_.get() >= 0 ? std::move(port_) : open_port(number_);
  ++in_use_;
  return taken;
}

// Between the loops of main(), one may begin when all have been stopped.
void server_impl::begin_several() {
  const std::lock_guard lock(mutex_);
  are_several_ = true;
}

void server_impl::add_running(const asio::any_io_executor& loop, const std::shared_ptr<service>& now) {
  const std::lock_guard lock(mutex_);
  running_.push_back({loop, now});
  for (int i = 0; i < stops_before_; ++i) now->stop();
  if (!are_several_) stops_before_ = 0;
}

void server_impl::remove_running(const std::shared_ptr<service>& now) {
  const std::lock_guard lock(mutex_);
  std::erase_if(running_, [&](const running_loop& one) { return one.of.lock() == now; });
}

awaitable<void> server_impl::run(std::shared_ptr<server_impl> self) {
  const tcp::endpoint where(address_of(setup->options.address), listen());
  port_use port(*this);
  auto loop = co_await asio::this_coro::executor;
  tcp::acceptor acceptor(loop, where.protocol(), port.socket.release());
  auto running = std::make_shared<service>(loop, setup, std::move(acceptor));
  base::log().info("listening on {}://{}", setup->tls ? "https" : "http", text_of(where));
  self->add_running(loop, running);
  std::exception_ptr failure;
  try {
    co_await running->run();
  } catch (...) {
    failure = std::current_exception();
  }
  self->remove_running(running);
  if (failure) std::rethrow_exception(failure);
}

void server_impl::stop() {
  const std::lock_guard lock(mutex_);
  if (running_.empty() || are_several_) ++stops_before_;
  for (const auto& one : running_) {
    asio::post(one.loop, [weak = one.of] {
      if (const auto running = weak.lock()) running->stop();
    });
  }
}

server::server(server_options options) : impl_(std::make_shared<server_impl>(std::move(options))) {}
server::~server() = default;

server_options& server::options() noexcept {
  return impl_->setup->options;
}

// Programs add routes in main(), where an exception would end them with a core dump: run() throws the first mistake.
void server::add_route(std::string_view method, std::string_view pattern, detail::handler handler,
                       route_options how) {
  try {
    impl_->setup->routes.add({std::string(method), std::string(pattern), std::move(handler), how, {}});
  } catch (const usage_error& e) {
    if (impl_->mistake.empty()) impl_->mistake = e.what();
  }
}

server& server::files(std::string_view prefix, std::string_view folder) {
  try {
    detail::handler serve;
    serve.plain = [files = std::make_shared<folder_files>(std::string(folder), std::string(prefix))](
                      request& r) { return files->answer(r); };
    impl_->setup->routes.add_prefix(prefix, {"GET", std::string(prefix), std::move(serve), {}, {}});
  } catch (const error& e) {
    if (impl_->mistake.empty()) impl_->mistake = e.what();
  }
  return *this;
}

server& server::mount(std::string_view prefix, std::function<awaitable<response>(request&)> handler,
                      route_options how) {
  detail::handler call;
  call.coroutine = std::move(handler);
  try {
    for (const char* const method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
      impl_->setup->routes.add_prefix(prefix, {method, std::string(prefix), call, how, {}});
    }
  } catch (const error& e) {
    if (impl_->mistake.empty()) impl_->mistake = e.what();
  }
  return *this;
}

server& server::use(middleware f) {
  impl_->setup->chain.add(std::move(f));
  return *this;
}

server& server::use(authentication a) {
  impl_->has_authentication = true;
  return use(std::move(a.check));
}

void server::put_state(const std::type_info& type, std::shared_ptr<void> object) {
  impl_->setup->state.put(type, std::move(object));
}

std::uint16_t server::listen() {
  return impl_->listen();
}

awaitable<void> server::run() {
  return impl_->run(impl_);
}

void server::stop() {
  impl_->stop();
}

void server::begin_several() {
  impl_->begin_several();
}

}  // namespace quarq::http
