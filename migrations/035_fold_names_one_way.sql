-- One folding of names for sort keys, prefixes and search, and the words of a name: docs/decisions/089-folded-names.md.
-- Code from before this migration goes on as it did: it calls fold_name as before. The next migration folds the stored sort keys again.
-- compatible-with-older-code: yes

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- A name as it is sorted and searched. It depends on no collation, ICU or extension, so it is the same on every server. In this order:
-- compatibility decomposition (NFKD) splits letters from accents and resolves ligatures, full-width letters and presentation forms;
-- marks, apostrophes, quotes and invisible characters go (a mark on a space is an accent typed for an apostrophe); letters with a plain one in
-- their place become that, all others lower case; dashes, stops, commas, slashes and brackets become spaces; spaces become one, and none at an end.
-- The result has neither quotes nor backslashes, so its words can be written into a tsquery.
CREATE OR REPLACE FUNCTION fold_name(name text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    folded text COLLATE "C" := name;
BEGIN
    IF octet_length(folded) <> length(folded) THEN
        folded := regexp_replace(normalize(folded, NFKD),
            ' ?[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670'
            '\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+'
            '|[\u2018-\u201f\u2032-\u2037\u2039\u203a\u00ab\u00bb\u02b9-\u02c1\u02c8\u02ca\u02cb\u02ee\u055a\u05f3\u05f4\u07f4\u07f5\ua78b\ua78c'
            '\u00ad\u00b7\u0387\u2027\u061c\u0640\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e01ef]+', '', 'g');
        IF octet_length(folded) <> length(folded) THEN
            folded := replace(replace(replace(replace(replace(replace(replace(replace(folded,
                'ß', 'ss'), 'ẞ', 'ss'), 'æ', 'ae'), 'Æ', 'ae'), 'œ', 'oe'), 'Œ', 'oe'), 'þ', 'th'), 'Þ', 'th');
            folded := translate(folded,
                U&'ÐðıĸŊŋƆƏƐƔƖƝƲȷØøĐđĦħŁłŦŧƀƁƂƃƄƇƈƉƊƋƌƎƑƒƓƗƘƙƚƜƞƟƢƤƥƦƧƩƫƬƭƮƱƳƴƵƶƷƸƺƼǤǥǶǷȜȠȡȢȤȥȴȵȶȺȻȼȽȾȿɀɁɃɄɅɆɇɈɉɊɋɌɍɎɏ',
                U&'ddiknnoeeginvjooddhhllttbbbbƅccddddǝffgikklɯnoƣppʀƨʃttttʊyyzzʒƹʒƽggƕƿȝndȣzzlntaccltszɂbʉʌeejjqqrryy');
        END IF;
        -- Latin names are through here. A translation takes as long as its list, for each character: the scripts of most names come first.
        IF octet_length(folded) <> length(folded) THEN
            folded := translate(folded,
                U&'\2010\2012\2013\2014\2015\2043\2212\058A\05BE\1400\1806\2E17\2E1A\2E3A\2E3B\2E40\301C\3030\30A0\30FB\0085\2028\2029\060Cɔəɛɣɩɵς'
                '\0629\0649\0660\0661\0662\0663\0664\0665\0666\0667\0668\0669\0671\06A9\06C1\06CC\06D5\06F0\06F1\06F2\06F3\06F4\06F5\06F6\06F7\06F8'
                '\06F9ɓɕɖɗɚɟɠɦɧɨɫɬɭɰɱɲɳɺɻɼɽɾʂʄʆʈʋʐʑʓʝʠʥʮʯЂЄЅІЈЉЊЋЏАБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯѠѢѤѦѨѪѬѮѰѲѴѸѺѼѽѾҀҊҋҌҎҏҐґҒғҔҕҖҗҘҙҚқҜҝҞҟҠҢңҤҦҧҨҪҫҬҭҮ'
                'ҰұҲҳҴҶҷҸҹҺҼҾҿӀӃӄӅӆӇӈӉӊӋӍӎӔӘӠӨӶӷӺӻӼӽӾӿԀԂԄԆԈԊԌԎԐԒԓԔԖԘԚԜԞԠԡԢԣԤԥԦԧԨԩԪԬԮԯͰͲͶͿΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩϏϘϚϜϞϠϷϺϽϾϿϢϤϦϨϪϬϮԱԲԳԴԵԶԷԸԹԺԻԼԽԾԿՀ'
                'ՁՂՃՄՅՆՇՈՉՊՋՌՍՎՏՐՑՒՓՔՕՖ',
                U&'\0020\0020\0020\0020\0020\0020\0020\0020\0020\0020\0020\0020\0020\0020\0020\0020\0020\0020\0020\0020\0020\0020\0020\0020oeegioσ'
                '\0647\064A0123456789\0627\0643\0647\064A\06470123456789bcddejghꜧilllɯmnnɹɹrrrsjʃtvzzʒjqʣɥɥђєѕіјљњћџабвгдежзиклмнопрстуфхцчшщъыьэюя'
                'ѡѣѥѧѩѫѭѯѱѳѵѹѻѡѡѿҁииҍррггггггжжззккккккҡннҥппҩссттүүүххҵччччһҽҽҽӏккллннннӌммӕәӡөггггххххԁԃԅԇԉԋԍԏԑллԕԗԙԛԝԟллннппһһннԫԭллͱͳͷϳαβγδεζηθ'
                'ικλμνξοπρστυφχψωϗϙϛϝϟϡϸϻͻͼͽϣϥϧϩϫϭϯաբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆ');
        END IF;
        IF folded ~ '[^\u0001-\u06ff]' THEN
            folded := translate(folded,
                U&'\1680ᴓᵬᵭᵮᵯᵰᵱᵲᵳᵴᵵᵶᵼᵽᵿᶀᶁᶂᶃᶄᶅᶆᶇᶈᶉᶊᶋᶌᶍᶎᶏᶐᶑᶒᶓᶕᶖᶗᶘᶙᶚẜẝỺỼỾỿ\2132\2183ⱠⱡⱢⱣⱤⱥⱦⱧⱨⱩⱪⱫⱬⱭⱮⱯⱰⱱⱲⱳⱴⱵⱸⱹⱺⱾⱿꜢꜤꜦꜨꜪꜬꜮꜯꜲꜴꜶꜸꜺꜻꜼꜾꜿꝀꝁꝂꝃꝄꝅꝆꝈꝉꝊꝋꝌꝍꝎꝐꝑꝒꝓꝔꝕꝖꝗꝘꝙ'
                'ꝚꝜꝞꝟꝠꝢꝤꝦꝨꝪꝬꝮꝹꝻꝽꝾꞀꞂꞄꞆꞋꞍꞎꞐꞑꞒꞓꞔꞕꞖꞗꞘꞙꞚꞜꞞꞠꞡꞢꞣꞤꞥꞦꞧꞨꞩꞪꞫꞬꞭꞮꞰꞱꞲꞳꞴꞶꞸꞹꞺꞼꞾꟀꟂꟄꟅꟆꟇꟈꟉꟊꟐꟖꟘꟵ\AB34\AB36\AB37\AB38\AB39\AB3A\AB3B\AB3C\AB3E\AB3F\AB41'
                '\AB42\AB49\AB4A\AB4C\AB4E\AB4F\AB52\AB54\AB55\AB56\AB57\AB58\AB59\AB5A\AB66\AB67\AB68\+01DF00\+01DF05\+01DF06\+01DF08\+01DF09'
                '\+01DF0B\+01DF0C\+01DF0D\+01DF11\+01DF12\+01DF13\+01DF14\+01DF15\+01DF16\+01DF17\+01DF18\+01DF19\+01DF1A\+01DF1B\+01DF1C\+01DF1D'
                '\+01DF1EᲀᲁᲂᲃᲄᲅᲆᲇᲈꙀꙂꙄꙆꙈꙊꙌꙎꙐꙑꙒꙔꙖꙘꙚꙜꙞꙠꙢꙤꙦꙨꙪꙬꚀꚂꚄꚆꚈꚊꚋꚌꚎꚐꚒꚔꚖꚘꚚⲀⲂⲄⲆⲈⲊⲌⲎⲐⲒⲔⲖⲘⲚⲜⲞⲠⲢⲤⲦⲨⲪⲬⲮⲰⲲⲴⲶⲸⲺⲼⲾⳀⳂⳄⳆⳈⳊⳌⳎⳐⳒⳔⳖⳘⳚⳜⳞⳠⳢⳫⳭⳲ\10A0\10A1\10A2\10A3'
                '\10A4\10A5\10A6\10A7\10A8\10A9\10AA\10AB\10AC\10AD\10AE\10AF\10B0\10B1\10B2\10B3\10B4\10B5\10B6\10B7\10B8\10B9\10BA\10BB\10BC\10BD'
                '\10BE\10BF\10C0\10C1\10C2\10C3\10C4\10C5\10C7\10CDᲐᲑᲒᲓᲔᲕᲖᲗᲘᲙᲚᲛᲜᲝᲞᲟᲠᲡᲢᲣᲤᲥᲦᲧᲨᲩᲪᲫᲬᲭᲮᲯᲰᲱᲲᲳᲴᲵᲶᲷᲸᲹᲺᲽᲾᲿ\13F8\13F9\13FA\13FB\13FC\13FD'
                '\AB70\AB71\AB72\AB73\AB74\AB75\AB76\AB77\AB78\AB79\AB7A\AB7B\AB7C\AB7D\AB7E\AB7F\AB80\AB81\AB82\AB83\AB84\AB85\AB86\AB87\AB88\AB89'
                '\AB8A\AB8B\AB8C\AB8D\AB8E\AB8F\AB90\AB91\AB92\AB93\AB94\AB95\AB96\AB97\AB98\AB99\AB9A\AB9B\AB9C\AB9D\AB9E\AB9F\ABA0\ABA1\ABA2\ABA3'
                '\ABA4\ABA5\ABA6\ABA7\ABA8\ABA9\ABAA\ABAB\ABAC\ABAD\ABAE\ABAF\ABB0\ABB1\ABB2\ABB3\ABB4\ABB5\ABB6\ABB7\ABB8\ABB9\ABBA\ABBB\ABBC\ABBD'
                '\ABBE\ABBFⰀⰁⰂⰃⰄⰅⰆⰇⰈⰉⰊⰋⰌⰍⰎⰏⰐⰑⰒⰓⰔⰕⰖⰗⰘⰙⰚⰛⰜⰝⰞⰟⰠⰡⰢⰣⰤⰥⰦⰧⰨⰩⰪⰫⰬⰭⰮⰯ\+010400\+010401\+010402\+010403\+010404\+010405\+010406\+010407\+010408'
                '\+010409\+01040A\+01040B\+01040C\+01040D\+01040E\+01040F\+010410\+010411\+010412\+010413\+010414\+010415\+010416\+010417\+010418'
                '\+010419\+01041A\+01041B\+01041C\+01041D\+01041E\+01041F\+010420\+010421\+010422\+010423\+010424\+010425\+010426\+010427\+0104B0'
                '\+0104B1\+0104B2\+0104B3\+0104B4\+0104B5\+0104B6\+0104B7\+0104B8\+0104B9\+0104BA\+0104BB\+0104BC\+0104BD\+0104BE\+0104BF\+0104C0'
                '\+0104C1\+0104C2\+0104C3\+0104C4\+0104C5\+0104C6\+0104C7\+0104C8\+0104C9\+0104CA\+0104CB\+0104CC\+0104CD\+0104CE\+0104CF\+0104D0'
                '\+0104D1\+0104D2\+0104D3\+010570\+010571\+010572\+010573\+010574\+010575\+010576\+010577\+010578\+010579\+01057A\+01057C\+01057D'
                '\+01057E\+01057F\+010580\+010581\+010582\+010583\+010584\+010585\+010586\+010587\+010588\+010589\+01058A\+01058C\+01058D\+01058E'
                '\+01058F\+010590\+010591\+010592\+010594\+010595\+010C80\+010C81\+010C82\+010C83\+010C84\+010C85\+010C86\+010C87\+010C88\+010C89'
                '\+010C8A\+010C8B\+010C8C\+010C8D\+010C8E\+010C8F\+010C90\+010C91\+010C92\+010C93\+010C94\+010C95\+010C96\+010C97\+010C98\+010C99'
                '\+010C9A\+010C9B\+010C9C\+010C9D\+010C9E\+010C9F\+010CA0\+010CA1\+010CA2\+010CA3\+010CA4\+010CA5\+010CA6\+010CA7\+010CA8\+010CA9'
                '\+010CAA\+010CAB\+010CAC\+010CAD\+010CAE\+010CAF\+010CB0\+010CB1\+010CB2\+0118A0\+0118A1\+0118A2\+0118A3\+0118A4\+0118A5\+0118A6'
                '\+0118A7\+0118A8\+0118A9\+0118AA\+0118AB\+0118AC\+0118AD\+0118AE\+0118AF\+0118B0\+0118B1\+0118B2\+0118B3\+0118B4\+0118B5\+0118B6'
                '\+0118B7\+0118B8\+0118B9\+0118BA\+0118BB\+0118BC\+0118BD\+0118BE\+0118BF\+016E40\+016E41\+016E42\+016E43\+016E44\+016E45\+016E46'
                '\+016E47\+016E48\+016E49\+016E4A\+016E4B\+016E4C\+016E4D\+016E4E\+016E4F\+016E50\+016E51\+016E52\+016E53\+016E54\+016E55\+016E56'
                '\+016E57\+016E58\+016E59\+016E5A\+016E5B\+016E5C\+016E5D\+016E5E\+016E5F\+01E900\+01E901\+01E902\+01E903\+01E904\+01E905\+01E906'
                '\+01E907\+01E908\+01E909\+01E90A\+01E90B\+01E90C\+01E90D\+01E90E\+01E90F\+01E910\+01E911\+01E912\+01E913\+01E914\+01E915\+01E916'
                '\+01E917\+01E918\+01E919\+01E91A\+01E91B\+01E91C\+01E91D\+01E91E\+01E91F\+01E920\+01E921',
                U&'\0020ᴑbdfmnprrstzipʊbdfgklmnprsʃvxzaɑdeeeioʃuʒssỻỽyy\214E\2184lllprathhkkzzɑmɐɒvwwvⱶeɹoszꜣꜥꜧꜩꜫꜭꜭꜭꜳꜵꜷꜹꜹꜹꜽ\2184\2184kkkkkkꝇllooooꝏpp'
                'ppppqqqqꝛꝝvvꝡꝣꝥꝧꝩꝫꝭꝯꝺꝼᵹꝿꞁꞃꞅꞇꞌɥlnnccchbbffꞛꞝꞟggkknnrrsshɜɡlɪʞʇj\AB53ꞵꞷuuꞻꞽꞿꟁꟃcszddssꟑꟗꟙꟶeɡlllmnn\AB3Doᴔᴔr\AB48\AB4Buʉu\AB53\AB53xxx'
                'xyʣʦɹʩɮʎɹtʃʃʇlʤlnɹrʧʒʤioʧcsвдосттъѣꙋꙁꙃꙅꙇꙉꙋꙍꙏыыꙓꙕꙗꙙꙛꙝꙟꙡꙣꙥꙧꙩꙫꙭꚁꚃꚅꚇꚉттꚍꚏꚑꚓꚕꚗꚙꚛⲁⲃⲅⲇⲉⲋⲍⲏⲑⲓⲕⲗⲙⲛⲝⲟⲡⲣⲥⲧⲩⲫⲭⲯⲱⲳⲵⲷⲹⲻⲽⲿⳁⳃⳅⳇⳉⳋⳍⳏⳑⳓⳕⳗⳙⳛⳝⳟⳡⳣⳬⳮⳳⴀⴁ'
                'ⴂⴃⴄⴅⴆⴇⴈⴉⴊⴋⴌⴍⴎⴏⴐⴑⴒⴓⴔⴕⴖⴗⴘⴙⴚⴛⴜⴝⴞⴟⴠⴡⴢⴣⴤⴥⴧⴭ\10D0\10D1\10D2\10D3\10D4\10D5\10D6\10D7\10D8\10D9\10DA\10DB\10DC\10DD\10DE\10DF\10E0\10E1'
                '\10E2\10E3\10E4\10E5\10E6\10E7\10E8\10E9\10EA\10EB\10EC\10ED\10EE\10EF\10F0\10F1\10F2\10F3\10F4\10F5\10F6\10F7\10F8\10F9\10FA\10FD'
                '\10FE\10FF\13F0\13F1\13F2\13F3\13F4\13F5\13A0\13A1\13A2\13A3\13A4\13A5\13A6\13A7\13A8\13A9\13AA\13AB\13AC\13AD\13AE\13AF\13B0\13B1'
                '\13B2\13B3\13B4\13B5\13B6\13B7\13B8\13B9\13BA\13BB\13BC\13BD\13BE\13BF\13C0\13C1\13C2\13C3\13C4\13C5\13C6\13C7\13C8\13C9\13CA\13CB'
                '\13CC\13CD\13CE\13CF\13D0\13D1\13D2\13D3\13D4\13D5\13D6\13D7\13D8\13D9\13DA\13DB\13DC\13DD\13DE\13DF\13E0\13E1\13E2\13E3\13E4\13E5'
                '\13E6\13E7\13E8\13E9\13EA\13EB\13EC\13ED\13EE\13EFⰰⰱⰲⰳⰴⰵⰶⰷⰸⰹⰺⰻⰼⰽⰾⰿⱀⱁⱂⱃⱄⱅⱆⱇⱈⱉⱊⱋⱌⱍⱎⱏⱐⱑⱒⱓⱔⱕⱖⱗⱘⱙⱚⱛⱜⱝⱞⱟ\+010428\+010429\+01042A\+01042B'
                '\+01042C\+01042D\+01042E\+01042F\+010430\+010431\+010432\+010433\+010434\+010435\+010436\+010437\+010438\+010439\+01043A\+01043B'
                '\+01043C\+01043D\+01043E\+01043F\+010440\+010441\+010442\+010443\+010444\+010445\+010446\+010447\+010448\+010449\+01044A\+01044B'
                '\+01044C\+01044D\+01044E\+01044F\+0104D8\+0104D9\+0104DA\+0104DB\+0104DC\+0104DD\+0104DE\+0104DF\+0104E0\+0104E1\+0104E2\+0104E3'
                '\+0104E4\+0104E5\+0104E6\+0104E7\+0104E8\+0104E9\+0104EA\+0104EB\+0104EC\+0104ED\+0104EE\+0104EF\+0104F0\+0104F1\+0104F2\+0104F3'
                '\+0104F4\+0104F5\+0104F6\+0104F7\+0104F8\+0104F9\+0104FA\+0104FB\+010597\+010598\+010599\+01059A\+01059B\+01059C\+01059D\+01059E'
                '\+01059F\+0105A0\+0105A1\+0105A3\+0105A4\+0105A5\+0105A6\+0105A7\+0105A8\+0105A9\+0105AA\+0105AB\+0105AC\+0105AD\+0105AE\+0105AF'
                '\+0105B0\+0105B1\+0105B3\+0105B4\+0105B5\+0105B6\+0105B7\+0105B8\+0105B9\+0105BB\+0105BC\+010CC0\+010CC1\+010CC2\+010CC3\+010CC4'
                '\+010CC5\+010CC6\+010CC7\+010CC8\+010CC9\+010CCA\+010CCB\+010CCC\+010CCD\+010CCE\+010CCF\+010CD0\+010CD1\+010CD2\+010CD3\+010CD4'
                '\+010CD5\+010CD6\+010CD7\+010CD8\+010CD9\+010CDA\+010CDB\+010CDC\+010CDD\+010CDE\+010CDF\+010CE0\+010CE1\+010CE2\+010CE3\+010CE4'
                '\+010CE5\+010CE6\+010CE7\+010CE8\+010CE9\+010CEA\+010CEB\+010CEC\+010CED\+010CEE\+010CEF\+010CF0\+010CF1\+010CF2\+0118C0\+0118C1'
                '\+0118C2\+0118C3\+0118C4\+0118C5\+0118C6\+0118C7\+0118C8\+0118C9\+0118CA\+0118CB\+0118CC\+0118CD\+0118CE\+0118CF\+0118D0\+0118D1'
                '\+0118D2\+0118D3\+0118D4\+0118D5\+0118D6\+0118D7\+0118D8\+0118D9\+0118DA\+0118DB\+0118DC\+0118DD\+0118DE\+0118DF\+016E60\+016E61'
                '\+016E62\+016E63\+016E64\+016E65\+016E66\+016E67\+016E68\+016E69\+016E6A\+016E6B\+016E6C\+016E6D\+016E6E\+016E6F\+016E70\+016E71'
                '\+016E72\+016E73\+016E74\+016E75\+016E76\+016E77\+016E78\+016E79\+016E7A\+016E7B\+016E7C\+016E7D\+016E7E\+016E7F\+01E922\+01E923'
                '\+01E924\+01E925\+01E926\+01E927\+01E928\+01E929\+01E92A\+01E92B\+01E92C\+01E92D\+01E92E\+01E92F\+01E930\+01E931\+01E932\+01E933'
                '\+01E934\+01E935\+01E936\+01E937\+01E938\+01E939\+01E93A\+01E93B\+01E93C\+01E93D\+01E93E\+01E93F\+01E940\+01E941\+01E942\+01E943');
        END IF;
    END IF;
    folded := btrim(translate(lower(folded), E'-.,;/\\()[]\t\n\v\f\r\'"`', repeat(' ', 15)), ' ');
    WHILE strpos(folded, '  ') > 0 LOOP
        folded := replace(folded, '  ', ' ');
    END LOOP;
    RETURN folded;
END
$$;

-- The words of a name, folded, for search by the beginnings of words. An apostrophe is nothing and a space: O'Brien is found as obrien, as o brien
-- and as brien.
CREATE FUNCTION name_words(name text) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    words text COLLATE "C" := public.fold_name(name);
    decomposed text COLLATE "C" := normalize(name, NFKD);
    parted text COLLATE "C" := regexp_replace(decomposed,
        '[''`'
        '\u2018-\u201f\u2032-\u2037\u2039\u203a\u00ab\u00bb\u02b9-\u02c1\u02c8\u02ca\u02cb\u02ee\u055a\u05f3\u05f4\u07f4\u07f5\ua78b\ua78c'
        ']| [\u0300-\u036f]+', ' ', 'g');
BEGIN
    IF parted <> decomposed THEN
        words := words || ' ' || public.fold_name(parted);
    END IF;
    RETURN array_to_tsvector(array_remove(string_to_array(words, ' '), ''));
END
$$;

-- What a folded text asks of the words of a name: that each of its words begins one. NULL for a text without words.
CREATE FUNCTION word_starts(folded text) RETURNS tsquery LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT (SELECT string_agg('''' || each.word || ''':*', ' & ') FROM unnest(string_to_array(folded, ' ')) AS each (word) WHERE each.word <> '')::tsquery
$$;
