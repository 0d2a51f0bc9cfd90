// What the jobs that run here have said of themselves, until it is sent to the store.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>

#include <boost/asio/any_io_executor.hpp>

#include <quarq/awaitable.hpp>
#include <quarq/detail/notes_sink.hpp>

#include "async/auto_reset_event.hpp"
#include "async/loop_handle.hpp"
#include "model/job_notes.hpp"
#include "workers/clock.hpp"

namespace quarq::workers {

/// log() and progress() may be called on any thread; all else is the loop's. The times of lines are this clock's, in ms.
class job_notebook final : public detail::notes_sink {
 public:
  job_notebook(clock& time, const boost::asio::any_io_executor& loop)
      : time_(time),
        news_(std::make_shared<async::auto_reset_event>(loop)),
        loop_(async::loop_handle::make(loop)) {}

  void log(const context& by, std::string_view text) override;
  void progress(const context& by, std::uint64_t done, std::uint64_t total) override;

  /// Returns when a job has said something since begin_to_take(). One waits.
  awaitable<void> wait_for_news() { return news_->wait(); }
  /// Whether no job has said anything. Costs next to nothing: it is asked of each job that ends.
  bool is_empty() const noexcept { return size_.load(std::memory_order_relaxed) == 0; }
  /// From now on, what is said ends a wait.
  void begin_to_take();
  /// What the job has said, if it has said something new since this was asked last.
  std::optional<model::job_notes> take_news(const context& of);
  /// All that the job has said, which is forgotten here.
  model::job_notes take_all(const context& of);

 private:
  struct page {
    model::job_notes notes;
    bool has_news = false;
  };
  template <class Change>
  void change(const context& by, Change what);

  clock& time_;
  const std::shared_ptr<async::auto_reset_event> news_;
  const std::shared_ptr<async::loop_handle> loop_;
  std::mutex mutex_;
  std::unordered_map<const context*, page> pages_;
  bool has_woken_ = false;  ///< the loop has heard that there is news
  std::atomic<std::size_t> size_{0};
};

}  // namespace quarq::workers
