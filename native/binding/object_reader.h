// Reads the properties of a JavaScript object.
//
// Thread safety: none; used on the isolate's thread.
//
// Reading a property counts as running JavaScript, which a worker that is being terminated may not do. The
// value is empty then, and asking it for anything would abort the process. So once a property could not be
// read, all are taken for missing, and `ok` is false.

#ifndef MEMPROF_NATIVE_BINDING_OBJECT_READER_H_
#define MEMPROF_NATIVE_BINDING_OBJECT_READER_H_

#include <napi.h>

#include <optional>
#include <string>
#include <vector>

namespace memprof {

class ObjectReader {
 public:
  explicit ObjectReader(Napi::Value object) : object_(object.As<Napi::Object>()) {}
  bool ok() const { return ok_; }

  double Number(const char* name) {
    Napi::Value value = Get(name);
    return value.IsEmpty() ? 0 : value.As<Napi::Number>().DoubleValue();
  }
  bool Boolean(const char* name) {
    Napi::Value value = Get(name);
    return !value.IsEmpty() && value.As<Napi::Boolean>().Value();
  }
  std::string Text(const char* name) { return OptionalText(name).value_or(std::string()); }
  // Nothing when the property is not a string.
  std::optional<std::string> OptionalText(const char* name) {
    Napi::Value value = Get(name);
    if (value.IsEmpty() || !value.IsString()) return std::nullopt;
    return value.As<Napi::String>().Utf8Value();
  }
  std::vector<std::string> Texts(const char* name) {
    std::vector<std::string> texts;
    ForEach(name, [&](Napi::Value each) { texts.push_back(each.As<Napi::String>().Utf8Value()); });
    return texts;
  }
  std::vector<double> Numbers(const char* name) {
    std::vector<double> numbers;
    ForEach(name, [&](Napi::Value each) { numbers.push_back(each.As<Napi::Number>().DoubleValue()); });
    return numbers;
  }

 private:
  Napi::Value Get(const char* name) {
    Napi::Value value = ok_ ? object_.Get(name) : Napi::Value();
    ok_ = !value.IsEmpty();
    return value;
  }
  template <typename F>
  void ForEach(const char* name, F&& f) {
    Napi::Value value = Get(name);
    if (value.IsEmpty()) return;
    Napi::Array array = value.As<Napi::Array>();
    for (uint32_t i = 0, length = array.Length(); i < length; ++i) {
      Napi::HandleScope scope(array.Env());
      Napi::Value each = array.Get(i);
      ok_ = !each.IsEmpty();
      if (!ok_) return;
      f(each);
    }
  }

  Napi::Object object_;
  bool ok_ = true;
};

}  // namespace memprof

#endif  // MEMPROF_NATIVE_BINDING_OBJECT_READER_H_
