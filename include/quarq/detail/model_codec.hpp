// How types with a model travel: checked on both ways. Included by <quarq/model.hpp>.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include <quarq/codec.hpp>
#include <quarq/detail/model_describe.hpp>
#include <quarq/detail/model_engine.hpp>
#include <quarq/detail/model_tag.hpp>

namespace quarq::validation {

/// Collects what is wrong with several values; throws it at the end.
class argument_checker {
 public:
  argument_checker(std::string_view task, std::span<const std::string_view> names)
      : task_(task), names_(names) {}
  void add(const type& what, const void* value);
  void skip() noexcept { ++index_; }
  void finish();

 private:
  std::string_view task_;
  std::span<const std::string_view> names_;
  std::size_t index_ = 0;
  std::vector<model_error> errors_;
};

template <class... Args>
void check_arguments(std::string_view task, std::span<const std::string_view> names,
                     const Args&... arguments) {
  argument_checker checker(task, names);
  const auto look_at = [&]<class T>(const T& argument) {
    if constexpr (uses_model<T>) {
      checker.add(type_of<T>::value, &argument);
    } else {
      checker.skip();
    }
  };
  (look_at(arguments), ...);
  checker.finish();
}

}  // namespace quarq::validation

namespace quarq {

template <validation::modelled T>
struct codec<T> {
  static void encode(encoder& out, const T& value) {
    validation::encode_checked(validation::type_of<T>::value, &value, out);
  }
  static T decode(decoder& in) {
    T value{};
    validation::decode_checked(validation::type_of<T>::value, &value, in);
    return value;
  }
};

}  // namespace quarq
