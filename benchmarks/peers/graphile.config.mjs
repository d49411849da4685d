// PostGraphile as its documentation shows it for production: the Amber preset, no explorer, no watching, a pool of 25 as everyone has.
import { makePgService } from "postgraphile/adaptors/pg";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { jsonPgSmartTags } from "postgraphile/utils";

// A grade's subject is kept equal to its assessment's without a foreign key of its own: this tells PostGraphile where it leads.
const tags = jsonPgSmartTags({
  version: 1,
  config: { class: { grades: { tags: { foreignKey: "(subject_id) references subjects (id)" } } } },
});

export default {
  extends: [PostGraphileAmberPreset],
  plugins: [tags],
  pgServices: [
    makePgService({
      connectionString: process.env.DATABASE_URL,
      schemas: ["public"],
      poolConfig: { max: 25 },
    }),
  ],
  grafserv: { host: "127.0.0.1", port: Number(process.env.PORT), graphqlPath: "/graphql", graphiql: false, watch: false },
  grafast: { explain: false },
};
