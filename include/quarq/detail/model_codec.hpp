// How types with a model travel: checked on both ways. Included by <quarq/model.hpp>.
#pragma once

#include <quarq/codec.hpp>
#include <quarq/detail/model_describe.hpp>
#include <quarq/detail/model_engine.hpp>
#include <quarq/detail/model_tag.hpp>

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
