#include "http/net/resolver.hpp"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <netdb.h>
#include <sys/socket.h>

#include "async/completion.hpp"

namespace quarq::http {

namespace asio = boost::asio;
using address_list = std::vector<asio::ip::address>;
using steady = std::chrono::steady_clock;

namespace {

constexpr std::chrono::seconds max_idle{10};  // of a thread
constexpr std::size_t max_kept = 1000;

}  // namespace

struct resolver::waiter {
  std::shared_ptr<async::completion> done;
  address_list found;
  std::string failure;
};

// Shared by the resolver and its threads: one of them may be in a look-up when the resolver is gone.
struct resolver::state : std::enable_shared_from_this<state> {
  struct kept {
    address_list found;
    steady::time_point until;
  };

  explicit state(look_up_function function) : ask(std::move(function)) {}

  std::optional<address_list> known(const std::string& host);
  std::optional<address_list> known_or_add(const std::string& host, std::shared_ptr<waiter> one);
  std::optional<address_list> known_locked(const std::string& host) const;
  void add(const std::string& host, std::shared_ptr<waiter> one);
  bool remove(const std::string& host, const std::shared_ptr<waiter>& one);
  void work();
  std::optional<std::string> next();
  void answer(const std::string& host, const address_list& found, const std::string& failure);
  void keep(const std::string& host, const address_list& found);

  const look_up_function ask;
  std::mutex mutex;
  std::condition_variable changed;
  // Names that are being looked up, or will be; their waiters may all have left.
  std::map<std::string, std::vector<std::shared_ptr<waiter>>> pending;
  std::deque<std::string> queue;
  std::map<std::string, kept> cache;
  std::size_t threads = 0;
  std::size_t idle = 0;
  bool ending = false;
};

std::optional<address_list> resolver::state::known(const std::string& host) {
  const std::lock_guard lock(mutex);
  return known_locked(host);
}

// The answer may have come since known() was asked.
std::optional<address_list> resolver::state::known_or_add(const std::string& host,
                                                          std::shared_ptr<waiter> one) {
  const std::lock_guard lock(mutex);
  auto found = known_locked(host);
  if (!found) add(host, std::move(one));
  return found;
}

std::optional<address_list> resolver::state::known_locked(const std::string& host) const {
  const auto found = cache.find(host);
  if (found == cache.end() || found->second.until < steady::now()) return std::nullopt;
  return found->second.found;
}

// REQUIRES: the mutex is locked.
void resolver::state::add(const std::string& host, std::shared_ptr<waiter> one) {
  const auto [place, is_new] = pending.try_emplace(host);
  place->second.push_back(std::move(one));
  if (!is_new) return;
  queue.push_back(host);
  if (idle >= queue.size() || threads == max_threads) {
    changed.notify_one();
    return;
  }
  ++threads;
  try {
    std::thread([self = shared_from_this()] { self->work(); }).detach();
  } catch (...) {
    --threads;
    if (threads > 0) return;
    queue.pop_back();
    pending.erase(place);
    throw;
  }
}

// Whether it was there: otherwise a thread is completing it.
bool resolver::state::remove(const std::string& host, const std::shared_ptr<waiter>& one) {
  const std::lock_guard lock(mutex);
  const auto place = pending.find(host);
  return place != pending.end() && std::erase(place->second, one) > 0;
}

void resolver::state::work() {
  while (const auto host = next()) {
    address_list found;
    std::string failure;
    try {
      found = ask(*host);
      if (found.empty()) failure = "it has no address";
    } catch (const std::exception& e) {
      failure = e.what();
    }
    answer(*host, found, failure);
  }
}

// Nothing: the thread must end.
std::optional<std::string> resolver::state::next() {
  std::unique_lock lock(mutex);
  ++idle;
  changed.wait_for(lock, max_idle, [this] { return ending || !queue.empty(); });
  --idle;
  // What was asked is answered, also at the end: its waiters may be there still.
  if (queue.empty()) {
    --threads;
    return std::nullopt;
  }
  auto host = std::move(queue.front());
  queue.pop_front();
  return host;
}

void resolver::state::answer(const std::string& host, const address_list& found, const std::string& failure) {
  std::vector<std::shared_ptr<waiter>> waiters;
  {
    const std::lock_guard lock(mutex);
    const auto place = pending.find(host);
    waiters = std::move(place->second);
    pending.erase(place);
    if (failure.empty()) keep(host, found);
  }
  for (const auto& one : waiters) {
    one->found = found;
    one->failure = failure;
    one->done->complete();
  }
}

void resolver::state::keep(const std::string& host, const address_list& found) {
  const auto now = steady::now();
  if (cache.size() >= max_kept) std::erase_if(cache, [&](const auto& one) { return one.second.until < now; });
  if (cache.size() >= max_kept) cache.clear();
  cache.insert_or_assign(host, kept{found, now + kept_for});
}

resolver& resolver::of_process() {
  // Never destroyed: coroutines of other threads may outlive main().
  static resolver* const one = new resolver(&ask_system);
  return *one;
}

resolver::resolver(look_up_function ask) : state_(std::make_shared<state>(std::move(ask))) {}

resolver::~resolver() {
  const std::lock_guard lock(state_->mutex);
  state_->ending = true;
  state_->changed.notify_all();
}

awaitable<address_list> resolver::look_up(std::string host) {
  boost::system::error_code no_address;
  const auto address = asio::ip::make_address(host, no_address);
  if (!no_address) co_return address_list{address};
  if (auto known = state_->known(host)) co_return std::move(*known);

  const auto loop = co_await asio::this_coro::executor;
  const auto shared = state_;
  const auto one = std::make_shared<waiter>();
  one->done = std::make_shared<async::completion>(loop);
  if (auto known = shared->known_or_add(host, one)) co_return std::move(*known);
  // The completion keeps this function, and must not keep itself: its loop may end before the answer.
  const std::function<void()> leave = [shared, host, weak = std::weak_ptr(one)] {
    const auto waiting = weak.lock();
    if (waiting && shared->remove(host, waiting)) waiting->done->complete();
  };
  const bool was_cancelled = co_await async::completion::wait(one->done, leave);
  if (was_cancelled) throw boost::system::system_error(asio::error::operation_aborted);
  if (!one->failure.empty()) throw look_up_error(one->failure);
  co_return std::move(one->found);
}

address_list ask_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int failure = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (failure == EAI_SYSTEM) throw look_up_error(std::strerror(errno));
  if (failure != 0) throw look_up_error(::gai_strerror(failure));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, &::freeaddrinfo);
  address_list found;
  for (const auto* one = list; one != nullptr; one = one->ai_next) {
    asio::ip::tcp::endpoint endpoint;
    if (one->ai_addrlen > endpoint.capacity()) continue;
    std::memcpy(endpoint.data(), one->ai_addr, one->ai_addrlen);
    endpoint.resize(one->ai_addrlen);
    found.push_back(endpoint.address());
  }
  return found;
}

}  // namespace quarq::http
