#include <exception>
#include <mutex>
#include <optional>
#include <utility>

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

/// The server that a program holds; run() makes a service of it.
class server_impl {
 public:
  explicit server_impl(server_options options) { setup->options = std::move(options); }

  std::shared_ptr<server_setup> setup = std::make_shared<server_setup>();
  bool has_authentication = false;
  std::string mistake;  // the first one, for run() to throw

  std::uint16_t listen();
  awaitable<void> run(std::shared_ptr<server_impl> self);
  void stop();

 private:
  void check() const;
  void set_running(const std::shared_ptr<service>& now, std::optional<asio::any_io_executor> loop);

  base::unique_fd port_;
  bool is_v6_ = false;
  std::uint16_t number_ = 0;
  std::mutex mutex_;
  int stops_before_ = 0;  // asked for while nothing ran
  std::optional<asio::any_io_executor> loop_;
  std::weak_ptr<service> service_;
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

// Without a loop, so that a program knows the port before it runs.
std::uint16_t server_impl::listen() {
  if (port_.get() >= 0) return number_;
  check();
  const auto& o = setup->options;
  const tcp::endpoint where(address_of(o.address), o.port);
  is_v6_ = where.address().is_v6();
  base::unique_fd made(::socket(is_v6_ ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
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
  port_ = std::move(made);
  return number_;
}

void server_impl::set_running(const std::shared_ptr<service>& now,
                              std::optional<asio::any_io_executor> loop) {
  const std::lock_guard lock(mutex_);
  service_ = now;
  loop_ = std::move(loop);
  for (; now && stops_before_ > 0; --stops_before_) now->stop();
}

awaitable<void> server_impl::run(std::shared_ptr<server_impl> self) {
  const auto& o = setup->options;
  listen();
  if (!o.certificate_file.empty()) {
    tls_settings tls;
    tls.verify = false;
    tls.certificate_file = o.certificate_file;
    tls.key_file = o.key_file;
    setup->tls = std::make_shared<tls_context>(tls_role::server, tls);
  }
  auto loop = co_await asio::this_coro::executor;
  tcp::acceptor acceptor(loop, is_v6_ ? tcp::v6() : tcp::v4(), port_.release());
  auto running = std::make_shared<service>(loop, setup, std::move(acceptor));
  base::log().info("listening on {}://{}:{}", setup->tls ? "https" : "http", o.address, number_);
  self->set_running(running, loop);
  std::exception_ptr failure;
  try {
    co_await running->run();
  } catch (...) {
    failure = std::current_exception();
  }
  self->set_running(nullptr, std::nullopt);
  if (failure) std::rethrow_exception(failure);
}

void server_impl::stop() {
  const std::lock_guard lock(mutex_);
  if (!loop_) {
    ++stops_before_;
    return;
  }
  asio::post(*loop_, [weak = service_] {
    if (const auto running = weak.lock()) running->stop();
  });
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

}  // namespace quarq::http
