// The tables of containers. Included by <quarq/detail/model_describe.hpp>.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <quarq/detail/model_describe.hpp>

namespace quarq::validation {

template <class Range>
struct range_functions {
  using element = typename Range::value_type;
  static constexpr unsigned json = json_array;
  static void clear(void* target) { static_cast<Range*>(target)->clear(); }
  static std::size_t size(const void* at) { return static_cast<const Range*>(at)->size(); }
  static void each(const void* at, void* context, visit_element visit) {
    for (const element& one : *static_cast<const Range*>(at)) visit(context, &one);
  }
  static void* make() { return new element(); }
  static void discard(void* made) { delete static_cast<element*>(made); }
};

template <class T>
  requires (!std::is_same_v<T, std::byte>)
struct type_of<std::vector<T>> : range_functions<std::vector<T>> {
  static void* append(void* target) {
    auto& list = *static_cast<std::vector<T>*>(target);
    // Otherwise a short list would be moved three times.
    if (list.capacity() == 0) list.reserve(4);
    return &list.emplace_back();
  }
  static const list_type value;
};
template <class T>
  requires (!std::is_same_v<T, std::byte>)
constinit const list_type type_of<std::vector<T>>::value{
    {kind::list, json_array}, &type_of<T>::value, type_of::clear, type_of::size, append, type_of::each};

template <>
struct type_of<std::vector<bool>> : range_functions<std::vector<bool>> {
  static bool insert(void* target, void* made) {
    static_cast<std::vector<bool>*>(target)->push_back(*static_cast<bool*>(made));
    discard(made);
    return true;
  }
  static constexpr list_type value{
      {kind::set, json_array}, &type_of<bool>::value, clear, size, nullptr, each, make, insert, discard};
};

template <class Set>
struct set_type_of : range_functions<Set> {
  using element = typename Set::value_type;
  static bool insert(void* target, void* made) {
    const std::unique_ptr<element> owned(static_cast<element*>(made));
    return static_cast<Set*>(target)->insert(std::move(*owned)).second;
  }
  static const list_type value;
};
template <class Set>
constinit const list_type set_type_of<Set>::value{{kind::set, json_array},
                                                  &type_of<element>::value,
                                                  set_type_of::clear,
                                                  set_type_of::size,
                                                  nullptr,
                                                  set_type_of::each,
                                                  set_type_of::make,
                                                  insert,
                                                  set_type_of::discard,
                                                  true};
template <class... T>
struct type_of<std::set<T...>> : set_type_of<std::set<T...>> {};
template <class... T>
struct type_of<std::unordered_set<T...>> : set_type_of<std::unordered_set<T...>> {};

template <class Map>
struct map_type_of {
  using key = typename Map::key_type;
  static_assert(std::is_same_v<key, std::string> || std::is_integral_v<key> || std::is_enum_v<key>,
                "quarq: the keys of a map are text, integers, enums or booleans: JSON's are texts, which are "
                "converted to these alone");
  static constexpr unsigned json = json_object;
  static void clear(void* target) { static_cast<Map*>(target)->clear(); }
  static std::size_t size(const void* at) { return static_cast<const Map*>(at)->size(); }
  static void* emplace(void* target, const void* at, bool& existed) {
    const auto [place, is_new] = static_cast<Map*>(target)->try_emplace(*static_cast<const key*>(at));
    existed = !is_new;
    return &place->second;
  }
  static void each(const void* at, void* context, visit_entry visit) {
    for (const auto& [one, mapped] : *static_cast<const Map*>(at)) visit(context, &one, &mapped);
  }
  static const map_type value;
};
template <class Map>
constinit const map_type map_type_of<Map>::value{{kind::map, json_object},
                                                 &type_of<key>::value,
                                                 &type_of<typename Map::mapped_type>::value,
                                                 sizeof(key),
                                                 clear,
                                                 size,
                                                 emplace,
                                                 each};
template <class... T>
struct type_of<std::map<T...>> : map_type_of<std::map<T...>> {};
template <class... T>
struct type_of<std::unordered_map<T...>> : map_type_of<std::unordered_map<T...>> {};

template <class Tuple, class Indices>
struct tuple_type_of;
template <class Tuple, std::size_t... I>
struct tuple_type_of<Tuple, std::index_sequence<I...>> {
  static constexpr unsigned json = json_array;
  template <std::size_t N>
  static void* get(void* target) {
    return &std::get<N>(*static_cast<Tuple*>(target));
  }
  static const type* element(std::size_t index) {
    static constexpr const type* types[] = {&type_of<std::tuple_element_t<I, Tuple>>::value..., nullptr};
    return types[index];
  }
  static void* at(void* target, std::size_t index) {
    static constexpr void* (*const places[])(void*) = {get<I>..., nullptr};
    return places[index](target);
  }
  static constexpr tuple_type value{{kind::tuple, json_array}, sizeof...(I), element, at};
};
template <class A, class B>
struct type_of<std::pair<A, B>> : tuple_type_of<std::pair<A, B>, std::make_index_sequence<2>> {};
template <class... T>
struct type_of<std::tuple<T...>> : tuple_type_of<std::tuple<T...>, std::index_sequence_for<T...>> {};

template <class T, std::size_t N>
  requires (!std::is_same_v<T, std::byte>)
struct type_of<std::array<T, N>> {
  static constexpr unsigned json = json_array;
  static const type* element(std::size_t) { return &type_of<T>::value; }
  static void* at(void* target, std::size_t index) {
    return &(*static_cast<std::array<T, N>*>(target))[index];
  }
  static constexpr tuple_type value{{kind::tuple, json_array}, N, element, at};
};

}  // namespace quarq::validation
