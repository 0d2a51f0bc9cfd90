// Where a context puts what its handler says of the job.
#pragma once

#include <cstdint>
#include <string_view>

#include <quarq/detail/at_least_cpp20.hpp>

namespace quarq {

class context;

namespace detail {

/// Thread safety: contexts of different jobs may call it at the same time. It outlives them.
class notes_sink {
 public:
  virtual void log(const context& by, std::string_view text) = 0;
  virtual void progress(const context& by, std::uint64_t done, std::uint64_t total) = 0;

 protected:
  ~notes_sink() = default;
};

}  // namespace detail
}  // namespace quarq
