#include "processes/own_pool.hpp"

#include <string>
#include <utility>

#include <quarq/detail/pool_call.hpp>

#include "processes/process_pool_impl.hpp"

namespace quarq::processes {

namespace {

/// A call whose arguments are encoded already, and whose result stays encoded.
class encoded_exchange final : public detail::process_exchange {
 public:
  encoded_exchange(detail::process_target to, std::string arguments)
      : process_exchange(to), arguments_(std::move(arguments)) {
    plain_result = true;
  }
  void write(encoder& out) const override { out.raw(arguments_); }
  void read(decoder& in) override { result_ = in.raw(); }
  std::string take() { return std::move(result_); }

 private:
  std::string arguments_;
  std::string result_;
};

class own_pool final : public untyped_pool {
 public:
  explicit own_pool(process_pool_options options)
      : impl_(std::make_shared<process_pool_impl>(std::move(options))) {}
  ~own_pool() override { impl_->close(); }

  std::size_t size() const noexcept override { return impl_->options().size; }

  awaitable<std::string> run(detail::process_target target, std::string arguments,
                             std::optional<std::uint64_t> memory_limit, std::string facts,
                             note_listener on_note) override {
    encoded_exchange call(target, std::move(arguments));
    call.memory_limit = memory_limit;
    call.facts = std::move(facts);
    call.on_note = std::move(on_note);
    return detail::run_exchange<encoded_exchange>(impl_, std::move(call));
  }

 private:
  std::shared_ptr<process_pool_impl> impl_;
};

}  // namespace

std::unique_ptr<untyped_pool> make_own_pool(process_pool_options options) {
  return std::make_unique<own_pool>(std::move(options));
}

}  // namespace quarq::processes
