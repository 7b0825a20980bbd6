IO.inspect <<1, 2, 3>>
IO.inspect <<256, -1, 65>>
IO.inspect <<1::16, 2::little-16, 3::size(4), 5::4>>
IO.inspect <<1.5::float, 2.5::float-32>>
IO.inspect <<"abc", 0, "def"::binary>>
x = "hello"
IO.inspect <<x::binary-size(3), "!">>
IO.inspect <<?é::utf8, 955::utf8>>
IO.inspect <<"aé"::utf16>>
IO.inspect <<1::3>>
IO.inspect <<5::3, 1::1, 0::4>>
<<a, b::16, rest::binary>> = <<1, 2, 3, 4, 5>>
IO.inspect {a, b, rest}
<<n::8, body::binary-size(n), tail::binary>> = <<3, "abcdef">>
IO.inspect {n, body, tail}
<<s::signed-8, u::8>> = <<255, 255>>
IO.inspect {s, u}
<<f::float>> = <<3.25::float>>
IO.inspect f
<<c::utf8, _::binary>> = "éa"
IO.inspect c
<<hi::4, lo::4>> = <<0xA5>>
IO.inspect {hi, lo}
IO.inspect (case <<1, 2>> do
  <<_, _, _>> -> 3
  <<_, _>> -> 2
end)
IO.inspect (case "GET /path" do
  "GET " <> path -> path
  _ -> nil
end)
<<"ab", more::bytes>> = "abcd"
IO.inspect more
IO.inspect for <<c <- "abc">>, do: c + 1
IO.inspect for <<r::4, g::4 <- <<0x12, 0x34>> >>, do: {r, g}
IO.inspect for(<<c <- "hello">>, c != ?l, into: "", do: <<c>>)
size = 2
<<part::binary-size(size), _::binary>> = "xyz"
IO.inspect part
<<len::32, payload::binary-size(len)>> = <<5::32, "hello">>
IO.inspect payload
IO.inspect byte_size(<<1::size(12)-unit(2)>>)
<<bits::bitstring-size(3), other::bitstring>> = <<0b10110011>>
IO.inspect {bits, other}
IO.inspect <<1, 2, 3>> == <<1, 2>> <> <<3>>
<<little::little-signed-32>> = <<254, 255, 255, 255>>
IO.inspect little
<<big::128>> = <<1::128>>
IO.inspect big
IO.inspect <<-3::signed-little-24>>
IO.inspect <<(<<1, 2>>)::binary, 3>>
<<q::binary-2, _::8>> = "abc"
IO.inspect q
IO.inspect <<1::native-16>> in [<<1, 0>>, <<0, 1>>]
