#include "workers/job_notebook.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace quarq::workers {

template <class Change>
void job_notebook::change(const context& by, Change what) {
  bool is_news = false;
  {
    const std::lock_guard lock(mutex_);
    auto& its = pages_[&by];
    what(its.notes);
    its.has_news = true;
    size_.store(pages_.size(), std::memory_order_relaxed);
    is_news = !std::exchange(has_woken_, true);
  }
  if (!is_news) return;
  loop_->post([waiting = std::weak_ptr(news_)] {
    if (const auto news = waiting.lock()) news->set();
  });
}

void job_notebook::log(const context& by, std::string_view text) {
  const auto now = std::chrono::floor<milliseconds>(time_.now().time_since_epoch()).count();
  change(by, [&](model::job_notes& notes) {
    model::for_each_log_line(text, [&](std::string_view line) {
      notes.add({now, 0, std::string(line.substr(0, model::max_log_line + 1))});
    });
  });
}

void job_notebook::progress(const context& by, std::uint64_t done, std::uint64_t total) {
  change(by, [&](model::job_notes& notes) { notes.how_far = {done, total}; });
}

void job_notebook::begin_to_take() {
  const std::lock_guard lock(mutex_);
  has_woken_ = false;
}

std::optional<model::job_notes> job_notebook::take_news(const context& of) {
  const std::lock_guard lock(mutex_);
  const auto found = pages_.find(&of);
  if (found == pages_.end() || !std::exchange(found->second.has_news, false)) return std::nullopt;
  return found->second.notes;
}

model::job_notes job_notebook::take_all(const context& of) {
  const std::lock_guard lock(mutex_);
  const auto found = pages_.find(&of);
  if (found == pages_.end()) return {};
  auto all = std::move(found->second.notes);
  pages_.erase(found);
  size_.store(pages_.size(), std::memory_order_relaxed);
  return all;
}

}  // namespace quarq::workers
