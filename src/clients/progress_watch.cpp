#include "clients/progress_watch.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "async/auto_reset_event.hpp"
#include "model/job_notes.hpp"

namespace quarq::clients {

namespace asio = boost::asio;

/// It stands in the frame of report().
class progress_watch::listener {
 public:
  listener(std::shared_ptr<progress_watch> to, std::string id)
      : to_(std::move(to)), news_(to_->loop_), at_(to_->listeners_.emplace(std::move(id), this)) {
    if (to_->listeners_.size() > 1 || to_->asking_) return;
    to_->pause_ = shortest_pause;
    to_->ask_later();
  }
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;
  ~listener() {
    to_->listeners_.erase(at_);
    // A timer would keep the loop from running out of work.
    if (to_->listeners_.empty() && to_->timer_) to_->timer_->cancel();
  }

  /// Whether it is news.
  bool hear(const job_progress& said) {
    if (said == said_) return false;
    said_ = said;
    news_.set();
    return true;
  }
  awaitable<void> wait_for_news() { return news_.wait(); }
  /// REQUIRES: there was news.
  job_progress said() const { return *said_; }

 private:
  std::shared_ptr<progress_watch> to_;
  std::optional<job_progress> said_;
  async::auto_reset_event news_;
  std::multimap<std::string, listener*>::iterator at_;
};

progress_watch::progress_watch(asio::any_io_executor loop, std::shared_ptr<broker::broker> store,
                               std::string queue)
    : loop_(std::move(loop)), store_(std::move(store)), queue_(std::move(queue)), timer_(loop_) {}

awaitable<void> progress_watch::report(std::shared_ptr<progress_watch> self, std::string id,
                                       detail::progress_function to) {
  listener heard(std::move(self), std::move(id));
  while (true) {
    co_await heard.wait_for_news();
    to(heard.said());
  }
}

void progress_watch::close() noexcept {
  timer_.reset();
  store_.reset();
}

void progress_watch::ask_later() {
  if (!timer_) return;
  timer_->expires_after(pause_);
  timer_->async_wait([weak = weak_from_this()](boost::system::error_code ec) {
    const auto self = weak.lock();
    if (ec || !self || !self->store_ || self->asking_ || self->listeners_.empty()) return;
    self->asking_ = true;
    asio::co_spawn(self->loop_, ask(self, self->next_to_ask()), asio::detached);
  });
}

// REQUIRES: there is a listener.
std::vector<std::string> progress_watch::next_to_ask() {
  std::vector<std::string> ids;
  auto at = listeners_.upper_bound(last_asked_);
  while (ids.size() < max_asked) {
    if (at == listeners_.end()) at = listeners_.begin();
    if (!ids.empty() && at->first == ids.front()) break;
    ids.push_back(at->first);
    at = listeners_.upper_bound(at->first);
  }
  last_asked_ = ids.back();
  return ids;
}

awaitable<void> progress_watch::ask(std::shared_ptr<progress_watch> self, std::vector<std::string> ids) {
  bool is_news = false;
  const auto store = self->store_;
  try {
    const auto notes = co_await store->notes(self->queue_, ids);
    is_news = self->tell(ids, notes);
  } catch (const std::exception&) {
    // What ails the broker, the waits for the jobs' ends will meet.
  }
  self->asking_ = false;
  self->pause_ = is_news ? shortest_pause : std::min(2 * self->pause_, longest_pause);
  if (!self->listeners_.empty()) self->ask_later();
}

bool progress_watch::tell(const std::vector<std::string>& ids, const std::vector<std::string>& notes) {
  bool is_news = false;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto how_far = model::notes_of({}, notes[i], 0).how_far;
    if (!how_far) continue;
    const auto [first, last] = listeners_.equal_range(ids[i]);
    for (auto at = first; at != last; ++at) {
      if (at->second->hear({how_far->done, how_far->total})) is_news = true;
    }
  }
  return is_news;
}

}  // namespace quarq::clients
