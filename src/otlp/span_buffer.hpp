// The spans that wait to be exported.
#pragma once

#include <cstddef>
#include <deque>
#include <utility>
#include <vector>

#include <quarq/trace.hpp>

namespace quarq::otlp {

/// Decides without a clock, a thread or a socket. Spans are laid into the batch in which they will be sent, so that a
/// lock is held no longer for many than for one. Thread safety: none.
class span_buffer {
 public:
  span_buffer(std::size_t max_waiting, std::size_t max_batch) : max_(max_waiting), max_batch_(max_batch) {}

  enum class added {
    dropped,  ///< so many wait already
    first,    ///< it waits alone: from now on counts how long it does
    waits,
    completes_batch,  ///< with it, a batch may be sent at once
  };
  /// `one` is left with the memory of a span that was sent, or none: so it is freed by a thread that makes spans, of whose
  /// allocator it is, and that needs it again.
  added add(finished_span& one) {
    if (size_ >= max_) return added::dropped;
    if (batches_.empty() || batches_.back().used == max_batch_)
      batches_.push_back({std::exchange(spare_, {})});
    auto& [spans, used] = batches_.back();
    if (used == spans.size()) spans.emplace_back();
    std::swap(spans[used++], one);
    ++size_;
    if (size_ == max_batch_) return added::completes_batch;
    return size_ == 1 ? added::first : added::waits;
  }

  /// The oldest, as many as a batch has.
  std::vector<finished_span> take() {
    if (batches_.empty()) return {};
    auto [spans, used] = std::move(batches_.front());
    batches_.pop_front();
    size_ -= used;
    spans.resize(used);
    return std::move(spans);
  }
  /// For its memory: what was taken and is done with. It is left as it is where there is such memory already.
  void give_back(std::vector<finished_span>& taken) noexcept {
    if (spare_.empty()) spare_.swap(taken);
  }

  bool has_batch() const noexcept { return size_ >= max_batch_; }
  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }

 private:
  struct batch {
    std::vector<finished_span> spans;  // those from `used` on were sent before
    std::size_t used = 0;
  };

  const std::size_t max_, max_batch_;
  std::deque<batch> batches_;  // all but the last are full
  std::vector<finished_span> spare_;
  std::size_t size_ = 0;
};

}  // namespace quarq::otlp
