// server::main(): the flags, the signals, the exit code.
#include "http/server/main.hpp"

#include <charconv>
#include <csignal>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/asio/signal_set.hpp>
#include <boost/asio/this_coro.hpp>
#include <errno.h>
#include <fmt/format.h>

#include <quarq/errors.hpp>
#include <quarq/http/server.hpp>
#include <quarq/run.hpp>

#include "base/log.hpp"
#include "base/text.hpp"

namespace quarq::http {

namespace asio = boost::asio;

namespace {

constexpr unsigned max_threads = 1024;

constexpr std::string_view help =
    "Usage: {} [--address ADDRESS] [--port PORT] [--threads N]\n\n"
    "  --address ADDRESS  of this host, to serve at\n"
    "  --port PORT        0: any that is free; the log names it\n"
    "  --threads N        so many threads, each with a loop of its own\n"
    "  --help             print this\n\n"
    "SIGTERM and SIGINT let requests end; a second one ends the process.\n";

template <class T>
T parse_number(std::string_view text, T least, T most, std::string_view what) {
  T number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end != text.data() + text.size() || number < least || number > most)
    throw usage_error(fmt::format(fmt::runtime(what), text));
  return number;
}

// The value of this flag, "--port=80" or "--port 80"; nullopt: it is another one.
std::optional<std::string_view> value_of(std::string_view flag, int& i, int argc, char** argv) {
  std::string_view given(argv[i]);
  if (given.starts_with(flag) && given.substr(flag.size()).starts_with('='))
    return given.substr(flag.size() + 1);
  if (given != flag) return std::nullopt;
  if (i + 1 == argc) throw usage_error(fmt::format("{} needs a value", flag));
  return argv[++i];
}

// False: --help.
bool apply_flags(server_options& options, int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--help") return false;
    if (const auto address = value_of("--address", i, argc, argv)) {
      options.address = *address;
    } else if (const auto port = value_of("--port", i, argc, argv)) {
      options.port = parse_number<std::uint16_t>(*port, 0, 65535, "--port: {} is not a port");
    } else if (const auto threads = value_of("--threads", i, argc, argv)) {
      options.threads =
          parse_number(*threads, 1U, max_threads, "--threads: {} is not a number from 1 to 1024");
    } else {
      throw usage_error(fmt::format("{} is not known; see --help", argv[i]));
    }
  }
  return true;
}

}  // namespace

awaitable<void> run_until_signal(server& s, std::function<awaitable<void>()> serve) {
  auto loop = co_await asio::this_coro::executor;
  // The handler keeps it: a signal may be on its way when the server has ended.
  const auto signals = std::make_shared<asio::signal_set>(loop, SIGINT, SIGTERM);
  signals->async_wait([&s, signals](const boost::system::error_code& ec, int number) {
    if (ec) return;
    base::log().info("stopping: {}", number == SIGINT ? "SIGINT" : "SIGTERM");
    signals->clear();  // the next one does what it does without us
    s.stop();
  });
  co_await serve();
  signals->cancel();
}

// The first failure ends all.
void server::run_on_threads() {
  const auto count = options().threads;
  options().reuse_port = true;
  begin_several();
  listen();
  std::vector<std::exception_ptr> failures(count);
  const std::function<awaitable<void>()> serve = [this] { return run(); };
  const auto run_one = [&](unsigned i) {
    try {
      quarq::run(i == 0 ? run_until_signal(*this, serve) : run());
    } catch (...) {
      failures[i] = std::current_exception();
      stop();
    }
  };
  std::vector<std::jthread> others;
  for (unsigned i = 1; i < count; ++i) others.emplace_back(run_one, i);
  run_one(0);
  others.clear();
  for (const auto& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

int run_main(server& s, int argc, char** argv, const std::function<void()>& run_all) {
  const auto print = [](const char* what) {
    fmt::print(stderr, "{}: {}\n", program_invocation_short_name, what);
  };
  try {
    if (apply_flags(s.options(), argc, argv)) {
      run_all();
    } else {
      fmt::print(fmt::runtime(help), program_invocation_short_name);
    }
    return 0;
  } catch (const usage_error& e) {
    print(e.what());
    return 2;
  } catch (const std::exception& e) {
    print(e.what());
    return 1;
  }
}

int server::main(int argc, char** argv) {
  return run_main(*this, argc, argv, [this] {
    if (options().threads > 1) {
      run_on_threads();
    } else {
      quarq::run(run_until_signal(*this, [this] { return run(); }));
    }
  });
}

}  // namespace quarq::http
