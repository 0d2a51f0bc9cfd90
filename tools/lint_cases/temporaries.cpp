// Rule B: aggregates and capturing closures as temporaries in an expression that awaits.
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

using boost::asio::awaitable;

struct mail {
  std::string to;
  int copies = 1;
};
struct limits {
  std::chrono::seconds timeout{1};
  std::string_view name;
};
class letter {
 public:
  explicit letter(std::string to) : to_(std::move(to)) {}

 private:
  std::string to_;
};

awaitable<void> send(mail m);
awaitable<void> send_all(std::vector<std::string> to);
awaitable<void> post(letter l);
awaitable<void> limit(limits l);
awaitable<void> offload(std::function<void()> f);
template <class F>
awaitable<void> offload_any(F f) {
  f();
  co_return;
}
mail make_mail(std::string to);

awaitable<void> bad(std::string name, std::shared_ptr<int> shared) {
  co_await send(mail{"a@b"});                                      // flagged: aggregate or braced list
  co_await send({.to = name});                                     // flagged: aggregate or braced list
  co_await send_all({"a@b", "c@d"});                               // flagged: aggregate or braced list
  co_await offload_any([shared] { ++*shared; });                   // flagged: capturing lambda
  co_await offload_any([name = std::move(name)] { (void)name; });  // flagged: capturing lambda
}

template <class Text>
awaitable<void> bad_when_used(Text text) {
  co_await send({.to = text});  // flagged: aggregate or braced list
}
awaitable<void> user() {
  auto operation = bad_when_used(std::string("x"));
  co_await std::move(operation);
}

awaitable<void> good(std::string name, std::shared_ptr<int> shared) {
  mail named{.to = name};
  co_await send(std::move(named));
  auto operation = send({.to = name});
  co_await std::move(operation);
  co_await send(make_mail(name));
  co_await post(letter(name));
  co_await limit({.timeout = std::chrono::seconds(3), .name = "n"});
  std::vector<std::string> to{"a@b", "c@d"};
  co_await send_all(std::move(to));
  auto work = [shared] { ++*shared; };
  co_await offload_any(std::move(work));
  co_await offload_any([&name] { name.clear(); });
}
