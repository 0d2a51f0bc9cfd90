#include "async/loop_lifetime.hpp"

namespace quarq::async {

namespace asio = boost::asio;

// Asio destroys a loop's services with the loop.
class loop_lifetime::service : public asio::execution_context::service {
 public:
  using key_type = service;
  static inline asio::execution_context::id id;

  explicit service(asio::execution_context& loop)
      : asio::execution_context::service(loop), lifetime(std::make_shared<loop_lifetime>(loop)) {}

  const std::shared_ptr<loop_lifetime> lifetime;

 private:
  void shutdown() noexcept override { lifetime->end(); }
};

std::shared_ptr<loop_lifetime> loop_lifetime::of(asio::execution_context& loop) {
  return asio::use_service<service>(loop).lifetime;
}

void loop_lifetime::add(std::weak_ptr<loop_guest> guest) {
  const std::lock_guard lock(mutex_);
  std::erase_if(guests_, [](const auto& one) { return one.expired(); });
  guests_.push_back(std::move(guest));
}

void loop_lifetime::end() noexcept {
  // Telling one guest may destroy others, and add some: one at a time.
  while (true) {
    std::shared_ptr<loop_guest> guest;
    {
      const std::lock_guard lock(mutex_);
      if (guests_.empty()) break;
      guest = guests_.back().lock();
      guests_.pop_back();
    }
    if (guest) guest->loop_destroyed();
  }
}

}  // namespace quarq::async
